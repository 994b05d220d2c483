import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { send } from "../../scripts/seed.ts";
import { expectNoMisdeeds, type Site, skipped, startSite } from "./page.ts";
import { cellsOf, functionNames } from "./table.ts";

const FUNCTIONS = 1_000;
const FRAMES = 40;

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

  it("keeps the order while the keyboard is in it as well", async () => {
    const page = await site.open("/?range=15m");
    await page.locator("table.functions").waitFor();
    const before = await functionNames(page);
    await page.getByRole("button", { name: "Last seen" }).focus();
    await page.keyboard.press("Tab");
    await send(site.url, "many", [sum("f995", 50_000)]);
    await expectCell(page, "f995", "51 k");
    expect((await functionNames(page)).slice(0, 5)).toEqual(before.slice(0, 5));
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(before[0]);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: before[0] ?? "" }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("content");
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

    const busyMs = await busyTimeOf(page);
    expect(await busyMs(() => sortByAverage(page))).toBeLessThan(150);
    expect((await busyMs(() => scroll(page, FRAMES))) / FRAMES).toBeLessThan(20);
    // The end of the table is there, at the end of the page.
    await page.keyboard.press("End");
    await page.locator(`tr[aria-rowindex="${FUNCTIONS + 1}"]`).waitFor();
    expectNoMisdeeds(page);
  });
});

/** How long something kept the page busy: of its processor's time, since what else the machine does is not its doing. */
async function busyTimeOf(page: Page): Promise<(work: () => Promise<void>) => Promise<number>> {
  const debug = await page.context().newCDPSession(page);
  await debug.send("Performance.enable", { timeDomain: "threadTicks" });
  const read = async () => {
    const { metrics } = await debug.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration")!.value * 1000;
  };
  return async (work) => {
    const before = await read();
    await work();
    return (await read()) - before;
  };
}

function sortByAverage(page: Page): Promise<void> {
  return page.evaluate(async () => {
    const heads = [...document.querySelectorAll<HTMLElement>("th button")];
    heads.find((head) => head.textContent?.startsWith("Average"))?.click();
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  });
}

/** Some eight rows a frame. */
function scroll(page: Page, frames: number): Promise<void> {
  return page.evaluate(async (frames) => {
    for (let frame = 0; frame < frames; frame++) {
      scrollTo(0, frame * 300);
      await new Promise(requestAnimationFrame);
    }
  }, frames);
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
