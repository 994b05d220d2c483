import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seed } from "../../scripts/seed.ts";
import { seriousProblems } from "./axe.ts";
import { expectNoMisdeeds, type Site, skipped, startSite } from "./page.ts";

const READ = "read-token";
const INGEST = "ingest-token";

describe.skipIf(skipped)("a server with tokens", () => {
  let site: Site;
  beforeAll(async () => {
    const vars = { MAX_ITEMS: "10000", READ_TOKENS: READ, INGEST_TOKENS: INGEST };
    site = await startSite({ token: READ, vars });
    await seed(site.url, undefined, { token: INGEST });
  });
  afterAll(() => site?.close());

  const denied = /status of 401/;

  it("asks for a token, keeps it in the tab, and forgets it at sign-out", async () => {
    const page = await site.open("/?range=15m");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByLabel("Token").fill("wrong");
    await page.getByLabel("Token").press("Enter");
    await page.getByRole("heading", { name: "The server does not know this token" }).waitFor();
    await page.getByLabel("Token").fill(READ);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator("table.functions").waitFor();
    expect(new URL(page.url()).search).toBe("?range=15m");
    await page.reload();
    await page.locator("table.functions").waitFor();
    expect(await page.evaluate(() => [localStorage.length, document.cookie])).toEqual([0, ""]);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(await page.locator("table.functions").count()).toBe(0);
    expectNoMisdeeds(page, { except: denied });
  });

  it("tells an unknown token from one that may not read", async () => {
    const page = await site.open("/");
    await page.getByLabel("Token").fill(INGEST);
    const error = { code: "forbidden", message: "This token may not read." };
    await page.route("**/metrics?**", (route) => route.fulfill({ status: 403, json: { error } }));
    await page.route("**/health", (route) => route.fulfill({ status: 403, json: { error } }));
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "This token may not read metrics" }).waitFor();
    expect(await page.getByRole("alert").textContent()).toBe(
      "The server knows this token, but it has no right to read. Enter one of the server's READ_TOKENS or ADMIN_TOKENS.",
    );
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await page.getByLabel("Token").fill("mistyped");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "The server does not know this token" }).waitFor();
    expect(await page.getByRole("alert").textContent()).toMatch(/^Check the token for typing errors/);
    expectNoMisdeeds(page, { except: /status of 40[13]/ });
  });

  it("queries and completes with the token, and copies commands without it", async () => {
    const page = await site.open("/?page=explore&query=vector(4)");
    await page.getByLabel("Token").fill(READ);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator(".values td").getByText("4", { exact: true }).waitFor();
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "Copy as curl" }).last().click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    const command = await page.evaluate(() => navigator.clipboard.readText());
    expect(command).toContain('-H "Authorization: Bearer $READ_TOKEN"');
    expect(command).not.toContain(READ);
    await page.locator(".cm-content").click();
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.type("function_calls_to");
    await page.locator(".cm-completionLabel").getByText("function_calls_total", { exact: true }).waitFor();
    expectNoMisdeeds(page, { except: denied });
  });

  it("serves the page without a token, under a policy that blocks foreign content", async () => {
    const response = await fetch(site.url);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-security-policy")).toMatch(
      /^default-src 'self';.*frame-ancestors 'none'/,
    );
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    const scripts = [...(await response.text()).matchAll(/<script[^>]* src="([^"]+)"><\/script>/g)];
    expect(scripts).toHaveLength(1);
    const script = await fetch(new URL(scripts[0]?.[1] ?? "", site.url));
    expect(gzipSync(await script.arrayBuffer()).byteLength).toBeLessThan(66_000);
    expect(script.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    const nothing = await fetch(new URL("/nothing", site.url), {
      headers: { Authorization: `Bearer ${READ}` },
    });
    expect([nothing.status, await nothing.json()]).toEqual([
      404,
      { error: { code: "not_found", message: "There is nothing at /nothing." } },
    ]);
  });

  it("says which secret to set if the server has no tokens", async () => {
    const page = await site.open("/?page=pipeline");
    const message = "Nobody may read yet, because the secret READ_TOKENS is not set.";
    await page.route("**/metrics?**", (route) =>
      route.fulfill({ status: 503, json: { error: { code: "no_tokens", message } } }),
    );
    await page.evaluate((token) => sessionStorage.setItem("metrics-collector.token", token), READ);
    await page.goto(site.url);
    await page.getByText(message).waitFor();
    expect(await page.getByLabel("Token").count()).toBe(0);
    await page.unroute("**/metrics?**");
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator("table.functions").waitFor();
    expectNoMisdeeds(page, { except: /status of (401|503)/ });
  });

  const views = {
    "the overview": "/",
    "one function": "/?service=payments&module=card&function=chargeCard",
    "a query": "/?page=explore&query=sum+by+(function)+(rate(function_calls_total[5m]))",
    "the pipeline": "/?page=pipeline",
  };
  for (const [name, path] of Object.entries(views)) {
    for (const colorScheme of ["light", "dark"] as const) {
      it(`has no serious accessibility problems: ${name}, ${colorScheme}`, async () => {
        const page = await site.open("/", { colorScheme });
        expect(await seriousProblems(page)).toEqual([]);
        await page.evaluate((token) => sessionStorage.setItem("metrics-collector.token", token), READ);
        await page.goto(new URL(path, site.url).href);
        await page.locator("h1").waitFor();
        await page.getByRole("status").waitFor({ state: "detached" });
        expect(await seriousProblems(page)).toEqual([]);
        await page.setViewportSize({ width: 390, height: 844 });
        expect(await seriousProblems(page)).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
        expectNoMisdeeds(page, { except: denied });
      });
    }
  }

  it("shows that it is loading, shows errors, and recovers", async () => {
    const page = await site.open("/");
    await page.evaluate((token) => sessionStorage.setItem("metrics-collector.token", token), READ);
    let answer: "wait" | "fail" | "pass" = "wait";
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    await page.route("**/metrics?**", async (route) => {
      if (answer === "wait") await released;
      if (answer === "fail") {
        const error = { code: "internal_error", message: "The request failed; the log says why." };
        await route.fulfill({ status: 500, json: { error } });
      } else {
        await route.continue();
      }
    });
    await page.reload();
    await page.getByRole("status").getByText("Loading functions").waitFor({ state: "attached" });
    answer = "fail";
    release();
    await page.getByRole("alert").getByText("The request failed; the log says why.").waitFor();
    answer = "pass";
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator("table.functions").waitFor();

    // From here on there are numbers. They stay and are marked as old.
    answer = "fail";
    await page.getByRole("button", { name: "15 m" }).click();
    await page.getByText("Not refreshed.").waitFor();
    expect(await page.locator("table.functions tbody tr").count()).toBeGreaterThan(5);
    expectNoMisdeeds(page, { except: /status of (401|500)/ });
  });

  it("shows the pipeline and replays dead letters", async () => {
    const page = await site.open("/");
    await page.evaluate((token) => sessionStorage.setItem("metrics-collector.token", token), READ);
    await page.goto(new URL("/?page=pipeline", site.url).href);
    await page.getByText("The collector is healthy").waitFor();
    expect(await page.locator(".stage h2").allTextContents()).toEqual(["Buffer", "Queue", "D1"]);

    const health = { ...((await (await get("/health")).json()) as object), ...DEGRADED };
    await page.route("**/health", (route) => route.fulfill({ status: 503, json: health }));
    await page.route("**/dead-letters", (route) => route.fulfill({ json: { deadLetters: [LETTER] } }));
    let replayed = "";
    await page.route("**/replay", async (route) => {
      replayed = decodeURIComponent(new URL(route.request().url()).pathname);
      await route.fulfill({ status: 202, json: { replayed: LETTER.id } });
    });
    await page.getByText("The collector is degraded").waitFor();
    await page.getByText("too many functions of one name").waitFor();
    expect(await page.locator(".card li").allTextContents()).toEqual(["shop"]);
    await page.getByText('The service "shop" has more functions than the limit.').waitFor();
    await page.getByRole("button", { name: "Replay a1:7" }).click();
    await page.getByText("Retrying a1:7.").waitFor();
    expect(replayed).toBe("/dead-letters/a1:7/replay");
    expect(await seriousProblems(page)).toEqual([]);
    expectNoMisdeeds(page, { except: /status of (401|503)/ });
  });

  const get = (path: string) =>
    fetch(new URL(path, site.url), { headers: { Authorization: `Bearer ${READ}` } });
});

const DEGRADED = {
  status: "degraded",
  problems: ["D1 refuses 1 flushes: GET /dead-letters says why."],
  deadLetters: 1,
  unconfirmedFlushes: 1,
  overflow: ["shop"],
};

const LETTER = {
  id: "a1:7",
  reason: "too many functions of one name",
  sealedAt: "2026-11-24T00:00:00.000Z",
  nextTryAt: "2026-11-24T01:00:00.000Z",
  attempts: 9,
  bytes: 1_200,
};
