import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seed, send } from "../../scripts/seed.ts";
import { expectNoMisdeeds, type Site, skipped, startSite } from "./page.ts";
import { cellsOf, functionNames } from "./table.ts";

const CHARGE_CARD = "/?service=payments&module=card&function=chargeCard";

describe.skipIf(skipped)("getting about", () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({ vars: { MAX_ITEMS: "10000" } });
    await seed(site.url);
    const many = Array.from({ length: 500 }, (_, i) => ({
      function: `f${String(i).padStart(3, "0")}`,
      durationMs: 5,
    }));
    await send(site.url, "many", many);
  });
  afterAll(() => site?.close());

  it("returns to the same place of a long list without another request", async () => {
    const page = await site.open("/?service=many&sort=function&order=asc");
    await page.clock.install();
    await page.reload();
    await page.locator("table.functions").waitFor();
    await page.locator('[aria-rowindex="2"]').waitFor();
    await page.evaluate(() => scrollTo(0, 9_000));
    const row = page.locator("tr", { hasText: "f240" });
    await row.waitFor();
    const before = await page.evaluate(() => scrollY);
    expect(before).toBeGreaterThan(8_000);
    await row.getByRole("link").click();
    await page.getByRole("heading", { level: 1, name: "f240" }).waitFor();
    expect(await page.evaluate(() => scrollY)).toBe(0);
    const lists: string[] = [];
    page.on("request", (request) => {
      if (new URL(request.url()).pathname === "/metrics") lists.push(request.url());
    });
    await page.goBack();
    await page.waitForFunction((before) => Math.abs(scrollY - before) < 40, before);
    await row.waitFor();
    expect(lists).toEqual([]);
    expectNoMisdeeds(page);
  });

  it("returns to the same place after a reload", async () => {
    const page = await site.open("/?service=many&sort=function&order=asc");
    await page.locator("table.functions").waitFor();
    await page.evaluate(() => scrollTo(0, 9_000));
    await page.locator("tr", { hasText: "f240" }).waitFor();
    await page.reload();
    await page.locator("tr", { hasText: "f240" }).waitFor();
    expect(await page.evaluate(() => scrollY)).toBeGreaterThan(8_000);
    expectNoMisdeeds(page);
  });

  it("keeps the search and the order on the way back through the breadcrumb", async () => {
    const page = await site.open("/?q=re&sort=p95Ms&order=asc");
    await page.locator("table.functions").waitFor();
    const names = await functionNames(page);
    expect(names.length).toBeGreaterThan(2);
    await page.locator("table.functions").getByRole("link", { name: "refund" }).click();
    await page.getByRole("heading", { level: 1, name: "refund" }).waitFor();
    expect(new URL(page.url()).search).toBe("?service=payments&module=&function=refund");
    await page.locator(".path").getByRole("link", { name: "Functions" }).click();
    await page.locator("table.functions").waitFor();
    expect(new URL(page.url()).search).toBe("?q=re&sort=p95Ms&order=asc");
    expect(await functionNames(page)).toEqual(names);
    expectNoMisdeeds(page);
  });

  it("stays paused after a reload", async () => {
    const page = await site.open();
    await page.getByRole("button", { name: "Live" }).click();
    await page.getByRole("button", { name: "Paused" }).waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Paused" }).click();
    await page.getByRole("button", { name: "Live" }).waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Live" }).waitFor();
    expect(await page.getByRole("button", { name: "Paused" }).count()).toBe(0);
    expectNoMisdeeds(page);
  });

  it("says that an address names no page", async () => {
    const page = await site.open("/?page=nothing");
    await page.getByRole("heading", { name: "Page not found" }).waitFor();
    await page.getByText("There is nothing at /?page=nothing.").waitFor();
    // The Worker must serve the page for unknown paths as well.
    await page.route("**/no/such/page", async (route) =>
      route.fulfill({ response: await route.fetch({ url: site.url }) }),
    );
    await page.goto(new URL("/no/such/page", site.url).href);
    await page.getByText("There is nothing at /no/such/page.").waitFor();
    await page.getByRole("link", { name: "See all functions" }).click();
    await page.locator("table.functions").waitFor();
    expect(new URL(page.url()).pathname).toBe("/");
    expectNoMisdeeds(page);
  });

  it("copies a link that shows the same range tomorrow", async () => {
    const page = await site.open();
    await page.locator("table.functions").waitFor();
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "Copy link" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    const { searchParams } = new URL(await page.evaluate(() => navigator.clipboard.readText()));
    const [from, to] = ["from", "to"].map((name) => Date.parse(searchParams.get(name)!));
    expect(to! - from!).toBe(3_600_000);
    expect(Math.abs(to! - Date.now())).toBeLessThan(120_000);
    const other = await site.open(`/?${searchParams.toString()}`);
    await other.getByText("Not live.").waitFor();
    await other.getByRole("link", { name: "Back to live" }).click();
    await other.getByRole("button", { name: "Live" }).waitFor();
    expect(new URL(other.url()).search).toBe("");
    expectNoMisdeeds(page);
    expectNoMisdeeds(other);
  });

  it("names the time zone, and switches to UTC", async () => {
    const page = await site.open(CHARGE_CARD, { timezoneId: "Australia/Adelaide", locale: "en-US" });
    await page.locator(".zone").getByText("Times in Australia/Adelaide (UTC+10:30)").waitFor();
    const covers = page.locator(".covers").first();
    expect(await covers.textContent()).toMatch(/\d\d:\d\d – now \(UTC\+10:30\)/);
    const firstSeen = page.locator("table.failures time").first();
    expect(await firstSeen.getAttribute("title")).toMatch(/, \d\d:\d\d UTC\+10:30$/);
    await page.getByRole("link", { name: "Use UTC" }).click();
    await page.locator(".zone").getByText("Times in UTC").waitFor();
    expect(new URL(page.url()).searchParams.get("tz")).toBe("utc");
    expect(await covers.textContent()).toMatch(/\d\d:\d\d – now \(UTC\)/);
    expect(await firstSeen.getAttribute("title")).toMatch(/, \d\d:\d\d UTC$/);
    // The fields have the same format and the same zone.
    await page.getByText("Custom").click();
    const field = await page.getByLabel("From", { exact: true }).inputValue();
    expect(field).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d$/);
    expect(Date.parse(`${field.replace(" ", "T")}Z`)).toBeGreaterThan(Date.now() - 3_660_000);
    expect(await page.getByLabel("To", { exact: true }).inputValue()).toBe("now");
    await page.getByLabel("From", { exact: true }).fill("soon");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.getByText(/^"From" must be a time such as/).waitFor();
    await page.getByLabel("From", { exact: true }).fill("-2h");
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await page.getByText("Last 2 hours").waitFor();
    expect(new URL(page.url()).searchParams.get("range")).toBe("2h");
    expectNoMisdeeds(page);
  });

  it("does not ask again for a function that the server does not know", async () => {
    let asked = 0;
    const page = await site.open("/?service=payments&module=&function=nobody", {
      prepare: async (page) => {
        await page.clock.install();
        page.on("request", (request) => (asked += Number(request.url().includes("/nobody?"))));
      },
    });
    await page.getByRole("heading", { name: "Unknown function" }).waitFor();
    await page.waitForLoadState("networkidle");
    const before = asked;
    await page.clock.runFor(60_000);
    expect(asked).toBe(before);
    const opacity = await page.getByRole("heading", { level: 1 }).evaluate((h1) => {
      let product = 1;
      for (let e: Element | null = h1; e; e = e.parentElement) product *= Number(getComputedStyle(e).opacity);
      return product;
    });
    expect(opacity).toBe(1);
    expectNoMisdeeds(page, { except: /status of 404/ });
  });

  it("shows no error rate for a function without calls in the range", async () => {
    const to = Math.floor(Date.now() / 60_000) * 60_000 - 3 * 3_600_000;
    const page = await site.open(`/?service=mail&from=${to - 600_000}&to=${to}`);
    await page.getByRole("heading", { level: 1, name: "No calls in this range in mail" }).waitFor();
    expect(await cellsOf(page, "renderTemplate", "calls", "errorRate", "p95Ms")).toEqual(["0", "–", "–"]);
    expectNoMisdeeds(page);
  });
});
