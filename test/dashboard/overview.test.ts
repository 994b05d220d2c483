import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { seed, send } from "../../scripts/seed.ts";
import { shopPast, storePast } from "../../scripts/store-past.ts";
import { expectNoMisdeeds, type Site, skipped, startSite } from "./page.ts";
import { cellsOf, functionNames } from "./table.ts";

describe.skipIf(skipped)("the functions page", () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({ vars: { MAX_ITEMS: "10000" } });
  });
  afterAll(() => site?.close());

  it("shows how to wrap a function until the first sample arrives", async () => {
    const page = await site.open();
    await page.getByRole("heading", { name: "No metrics yet" }).waitFor();
    const code = await page.locator("pre").textContent();
    expect(code!.split("\n").filter((line) => line !== "")).toHaveLength(4);
    expect(code).toContain(`url: "${site.url}"`);
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "Copy", exact: true }).click();
    await page.getByRole("button", { name: "Copied", exact: true }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(code);

    await send(site.url, "demo", [
      ...Array.from({ length: 5 }, () => ({ function: "successful_function", durationMs: 100.3 })),
      // A third failed call in a later minute would need attention.
      ...Array.from({ length: 2 }, () => ({
        function: "error_function",
        durationMs: 100.1,
        error: { name: "ValueError", message: "An error occurred" },
      })),
    ]);
    await page.getByRole("link", { name: "successful_function", exact: true }).waitFor();
    expect(await page.locator("pre").count()).toBe(0);
    expect(await cellsOf(page, "successful_function", "calls", "errors", "averageMs")).toEqual([
      "5",
      "0",
      "100 ms",
    ]);
    expect(await cellsOf(page, "error_function", "calls", "errors", "errorRate")).toEqual([
      "2",
      "2",
      "100 %",
    ]);
    expectNoMisdeeds(page);
  });

  it("says which functions cannot be judged yet, and why", async () => {
    // Called just now, so neither may be silent.
    const calls = ["successful_function", "error_function"].map((name) => ({
      function: name,
      durationMs: 100,
    }));
    await send(site.url, "demo", calls);
    const page = await site.open();
    await page
      .getByRole("heading", {
        level: 1,
        name: "2 functions: nothing needs attention, 1 cannot be judged yet",
      })
      .waitFor();
    await page.getByText("1 function cannot be judged yet", { exact: true }).click();
    const unjudged = page.locator(".unjudged");
    await unjudged.getByText(/^Failing: Some calls failed lately\. Before them, it had fewer than/).waitFor();
    expect(await unjudged.getByRole("link").allInnerTexts()).toEqual(["error_function demo"]);
    expectNoMisdeeds(page);
  });

  it("says that the judgement could not be loaded, keeps the list, and loads it on request", async () => {
    let isBroken = true;
    const page = await site.open("/", {
      prepare: (page) =>
        page.route("**/attention", async (route) => {
          if (!isBroken) return route.continue();
          const error = { code: "internal_error", message: "The request failed." };
          return route.fulfill({ status: 500, json: { error } });
        }),
    });
    await page.getByText("Could not load what needs attention.").waitFor();
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("2 functions");
    expect(await functionNames(page)).toHaveLength(2);
    isBroken = false;
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { level: 1, name: /nothing needs attention/ }).waitFor();
    expect(await page.getByText("Could not load what needs attention.").count()).toBe(0);
    expectNoMisdeeds(page, { except: /status of 500/ });
  });

  describe("with the data of a shop", () => {
    let site: Site;
    beforeAll(async () => {
      site = await startSite({
        vars: { MAX_ITEMS: "10000" },
        store: (stateFolder) => storePast(stateFolder, shopPast()),
      });
      await seed(site.url);
    });
    afterAll(() => site?.close());

    it("lists the functions that need attention with the server's reason", async () => {
      const page = await site.open();
      await page.locator(".attention li").first().waitFor();
      const texts = await page.locator(".attention li a").allInnerTexts();
      const said = texts.map((text) => text.replace(/\s+/g, " "));
      expect(said).toEqual([
        expect.stringMatching(
          /^Failing chargeCard card payments [\d.]+ % of calls fail, usually 0.\d+ %; since 1\d minutes\.$/,
        ),
        expect.stringMatching(
          /^Silent sendReceipt mail Last called 2\d minutes ago; at this hour it usually pauses \d minutes? at most\.$/,
        ),
        expect.stringMatching(
          /^Slower suggest search p95 is \d+ ms, usually \d\d(\.\d)? ms; since \d+ minutes\.$/,
        ),
      ]);
      expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe(
        "3 of 14 functions need attention",
      );
      await page
        .getByText(
          /^Attention was judged at \d\d:\d\d against each function's own past, whatever the range\.$/,
        )
        .waitFor();
      const marked = page.locator("table.functions tr", { hasText: "chargeCard" });
      expect(await marked.locator(".mark .heard").textContent()).toBe("Failing");
      expectNoMisdeeds(page);
    });

    it("sorts by a clicked column, and reverses the order at the second click", async () => {
      const page = await site.open();
      await page.getByRole("button", { name: "p95" }).click();
      expect((await functionNames(page))[0]).toBe("importFeed");
      expect(new URL(page.url()).search).toBe("?sort=p95Ms&order=desc");
      await page.getByRole("button", { name: "p95" }).click();
      // Functions without a p95 stay last.
      expect((await functionNames(page))[0]).toBe("normaliseQuery");
      expect((await functionNames(page)).at(-1)).toBe("hashCookie");
      const head = page.getByRole("columnheader", { name: "p95" });
      expect(await head.getAttribute("aria-sort")).toBe("ascending");
      expectNoMisdeeds(page);
    });

    it("searches functions and failures while typing, with the keyboard alone", async () => {
      const page = await site.open();
      await page.getByText("chargeCard").first().waitFor();
      await page.keyboard.press("/");
      await page.keyboard.type("card");
      const found = page.getByRole("region", { name: "Matching failures" });
      await found.getByText("The card was declined: insufficient funds").waitFor();
      expect(await functionNames(page)).toEqual(["chargeCard"]);
      await page.keyboard.press("ControlOrMeta+A");
      await page.keyboard.type("shard");
      await found.getByText("suggest, search").waitFor();
      expect(await functionNames(page)).toEqual([]);
      await page
        .getByRole("heading", { level: 1, name: "No matching functions, 1 matching failure" })
        .waitFor();
      await page.keyboard.press("ControlOrMeta+A");
      await page.keyboard.type('"); DROP %_*');
      await page.getByText("No matching functions.").waitFor();
      expectNoMisdeeds(page);
    });

    it("mutes what is known, with a reason until a date, and unmutes it", async () => {
      const page = await site.open();
      const item = page.locator(".attention li", { hasText: "sendReceipt" });
      await item.getByText("Mute", { exact: true }).first().click();
      await item.getByLabel("Reason").fill("The mail server moves");
      await item.getByLabel("For").selectOption("30 days");
      await item.getByRole("button", { name: "Mute" }).click();
      await page.getByRole("heading", { level: 1, name: "2 of 14 functions need attention" }).waitFor();
      expect(await page.locator(".attention strong").allInnerTexts()).toEqual(["chargeCard", "suggest"]);
      expect(
        await page.locator("table.functions tr", { hasText: "sendReceipt" }).locator(".mark").count(),
      ).toBe(0);
      // Another reader sees the same.
      const other = await site.open();
      await other.getByText("1 function muted").click();
      await other
        .getByText(/^sendReceipt mail Silent: Last called .* Muted until .*: The mail server moves Unmute$/)
        .waitFor();
      await other.getByRole("button", { name: "Unmute sendReceipt: silent" }).click();
      await other.getByRole("heading", { level: 1, name: "3 of 14 functions need attention" }).waitFor();
      expectNoMisdeeds(page);
      expectNoMisdeeds(other);
    });

    it("finds a name by other separators and by a pattern, and suggests one for a slip", async () => {
      const page = await site.open();
      await page.getByText("chargeCard").first().waitFor();
      const field = page.getByLabel("Search functions and failures");
      for (const typed of ["charge_card", "charge*", "ch*rd", "charge-card pay*ts"]) {
        await field.fill(typed);
        await vi.waitFor(async () => expect(await functionNames(page)).toEqual(["chargeCard"]));
      }
      await field.fill("chrgeCard");
      await page.getByText("No matching functions. Did you mean chargeCard?").waitFor();
      await page.getByRole("link", { name: "chargeCard", exact: true }).click();
      expect(await field.inputValue()).toBe("chargeCard");
      expect(await functionNames(page)).toEqual(["chargeCard"]);
      await page.getByLabel("Service", { exact: true }).selectOption("web");
      await field.fill("chrgeCard");
      await page.getByText("No matching functions.").waitFor();
      await page.waitForLoadState("networkidle");
      expect(await page.getByText("Did you mean").count()).toBe(0);
      expectNoMisdeeds(page);
    });

    it("filters what needs attention as it filters the table", async () => {
      const page = await site.open("/?service=payments");
      await page
        .getByRole("heading", { level: 1, name: "1 of 3 functions in payments needs attention" })
        .waitFor();
      const open = await site.open("/?q=receipt");
      await open.locator(".attention li").first().waitFor();
      expect(await open.locator(".attention strong").allInnerTexts()).toEqual(["sendReceipt"]);
      expectNoMisdeeds(page);
      expectNoMisdeeds(open);
    });

    it("filters by service, and the link shows the same in another browser", async () => {
      const page = await site.open();
      await page.getByLabel("Service", { exact: true }).selectOption("payments");
      await page.getByRole("button", { name: "Function" }).click();
      const names = await functionNames(page);
      expect(names).toEqual(["chargeCard", "refund", "verifySignature"]);
      await page.getByRole("button", { name: "15 m" }).click();
      const other = await site.open(new URL(page.url()).search);
      await other.getByRole("link", { name: "refund", exact: true }).waitFor();
      expect(await functionNames(other)).toEqual(names);
      expect(await other.getByRole("button", { name: "15 m" }).getAttribute("aria-pressed")).toBe("true");
      await page.goBack();
      expect(await page.getByRole("button", { name: "1 h", exact: true }).getAttribute("aria-pressed")).toBe(
        "true",
      );
      expectNoMisdeeds(page);
      expectNoMisdeeds(other);
    });

    it("shows a custom range", async () => {
      const page = await site.open();
      await page.getByText("Custom").click();
      const to = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 60 * 60_000);
      const local = (at: Date) =>
        new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
      await page.getByLabel("From").fill(local(new Date(to.getTime() - 10 * 60_000)));
      await page.getByLabel("To", { exact: true }).fill(local(to));
      await page.getByRole("button", { name: "Show", exact: true }).click();
      await page.getByText("Not live").first().waitFor();
      // The judgement is of now. An hour ago nothing was wrong, and mail was sent.
      await page.getByRole("heading", { name: "3 of 14 functions need attention now" }).waitFor();
      expect(await page.locator(".attention li").count()).toBe(3);
      expect(await page.locator("table.functions .mark").count()).toBe(0);
      expect(Number((await cellsOf(page, "sendReceipt", "calls"))[0])).toBeGreaterThan(250);
      expectNoMisdeeds(page);
    });

    it("says why a duration could not be measured", async () => {
      const page = await site.open();
      const cell = page.locator("tr", { hasText: "hashCookie" }).locator("td.p95Ms span");
      expect(await cell.textContent()).toBe("not measurable");
      expect(await cell.getAttribute("title")).toMatch(/took less time than the caller's clock can measure/);
      expectNoMisdeeds(page);
    });
  });
});
