import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seed, send } from "../../scripts/seed.ts";
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
      ...Array.from({ length: 3 }, () => ({
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
      "3",
      "3",
      "100 %",
    ]);
    expectNoMisdeeds(page);
  });

  describe("with the data of a shop", () => {
    beforeAll(() => seed(site.url));

    it("lists the functions that need attention with the reason in words", async () => {
      const page = await site.open();
      await page.getByText("compared with the previous hour").waitFor();
      const texts = await page.locator(".attention li").allInnerTexts();
      const said = texts.map((text) => text.replace(/\s+/g, " "));
      expect(said).toEqual([
        expect.stringMatching(
          /^Failing chargeCard card payments (2|3)\d % of calls fail in the last 8 min, was 0.\d %$/,
        ),
        expect.stringMatching(/^Failing error_function demo 100 % of calls fail/),
        expect.stringMatching(/^Slower suggest search p95 is 2\d\d ms, was \d\d ms, ×\d\.\d$/),
        expect.stringMatching(/^Silent sendReceipt mail last call 2\d min ago, was 0.\d+ calls\/s$/),
      ]);
      expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe(
        "4 of 16 functions need attention",
      );
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
      // An hour ago nothing was wrong, and mail was sent.
      await page.getByText("Nothing needs attention in 16 functions").waitFor();
      expect(await cellsOf(page, "error_function", "calls")).toEqual(["0"]);
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
