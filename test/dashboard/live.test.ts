import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { send } from "../../scripts/seed.ts";
import { expectNoMisdeeds, type Site, skipped, startSite } from "./page.ts";
import { cellsOf, functionNames } from "./table.ts";

const FUNCTIONS = 1_000;

describe.skipIf(skipped)("the overview of 1,000 functions", () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({ vars: { MAX_ITEMS: "10000" } });
    await send(site.url, "many", manySamples());
  });
  afterAll(() => site?.close());

  it("refreshes by itself, but keeps the order while the pointer is over it", async () => {
    const page = await site.open("/?range=15m");
    await page.locator("table.functions").waitFor();
    const [first, second, third] = await functionNames(page);
    expect([first, second, third]).toEqual(["f999", "f998", "f997"]);
    await page.getByRole("link", { name: "f998" }).hover();
    await send(site.url, "many", [sum("f997", 5_000)]);
    await expectCell(page, "f997", "6.0 k");
    expect((await functionNames(page)).slice(0, 3)).toEqual([first, second, third]);
    await page.mouse.move(5, 5);
    await page.waitForFunction(
      () => document.querySelector("table.functions tbody th a")?.textContent === "f997",
    );
    expectNoMisdeeds(page);
  });

  it("can be paused, and asks for nothing then", async () => {
    const page = await site.open("/?range=15m");
    await page.locator("table.functions").waitFor();
    await page.getByRole("button", { name: "Live" }).click();
    let requests = 0;
    page.on("request", () => requests++);
    await send(site.url, "many", [sum("f996", 9_000)]);
    await page.waitForTimeout(6_000);
    expect(requests).toBe(0);
    await page.getByRole("button", { name: "Paused" }).click();
    await expectCell(page, "f996", "10 k");
    expectNoMisdeeds(page);
  });

  it("sorts and scrolls without jank, and holds but a part of the rows", async () => {
    const page = await site.open("/?range=15m");
    await page.locator("table.functions").waitFor();
    await page.getByRole("button", { name: "Live" }).click();
    expect(await page.locator("table.functions tbody tr").count()).toBeLessThan(120);
    expect(await page.getByRole("table", { name: "Functions" }).getAttribute("aria-rowcount")).toBe("1001");

    // The best of some tries: what else the machine does is not the page's doing.
    expect(Math.min(await sort(page), await sort(page), await sort(page))).toBeLessThan(200);
    expect(Math.min(await scroll(page), await scroll(page), await scroll(page))).toBeLessThan(100);
    // The end of the table is there, at the end of the page.
    await page.keyboard.press("End");
    await page.locator(`tr[aria-rowindex="${FUNCTIONS + 1}"]`).waitFor();
    expectNoMisdeeds(page);
  });
});

/** Milliseconds from a click on a column's head to the frame after. */
function sort(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const head = [...document.querySelectorAll("th button")].find((one) =>
      one.textContent?.startsWith("Average"),
    );
    const start = performance.now();
    (head as HTMLElement).click();
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    return performance.now() - start;
  });
}

/** The longest that a frame took, in milliseconds, over some 250 rows. */
function scroll(page: Page): Promise<number> {
  return page.evaluate(async () => {
    let longest = 0;
    let before = performance.now();
    for (let y = 0; y < 9_000; y += 300) {
      scrollTo(0, y);
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      longest = Math.max(longest, now - before);
      before = now;
    }
    return longest;
  });
}

async function expectCell(page: Page, name: string, calls: string): Promise<void> {
  await expect.poll(async () => (await cellsOf(page, name, "calls"))[0], { timeout: 20_000 }).toBe(calls);
}

function manySamples(): object[] {
  return Array.from({ length: FUNCTIONS }, (_, i) => sum(`f${String(i).padStart(3, "0")}`, i + 1));
}

/** So many calls of a millisecond each. */
function sum(name: string, calls: number): object {
  return { function: name, calls, sumMs: calls, minMs: 1, maxMs: 1, histogram: { "-1": calls } };
}
