import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { send } from "../../scripts/seed.ts";
import { expectNoMisdeeds, type Site, skipped, startSite } from "./page.ts";
import { functionNames } from "./table.ts";

const FUNCTIONS = 1_000;
/** Enough rows that only those near the visible part are rendered. */
const FEW = 200;
/** Few enough that scrolling does not reach the end of the short table. */
const FRAMES = 20;

describe.skipIf(skipped)("the overview of 1,000 functions", () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({ vars: { MAX_ITEMS: "10000" } });
    await send(site.url, "many", manySamples(FUNCTIONS));
    await send(site.url, "few", manySamples(FEW));
  });
  afterAll(() => site?.close());

  it("refreshes automatically, but keeps the order while the pointer is over it", async () => {
    const page = await site.open("/?range=15m&service=many");
    await page.locator("table.functions").waitFor();
    const [first, second, third] = await functionNames(page);
    expect([first, second, third]).toEqual(["f999", "f998", "f997"]);
    await page.getByRole("link", { name: "f998" }).hover();
    await page.locator('[data-held="true"]').waitFor();
    await send(site.url, "many", [sum("f997", 5_000)]);
    await expectCell(page, "f997", "6.0 k");
    expect((await functionNames(page)).slice(0, 3)).toEqual([first, second, third]);
    await page.mouse.move(5, 5);
    await page.locator('[data-held="false"]').waitFor();
    expect((await functionNames(page))[0]).toBe("f997");
    expectNoMisdeeds(page);
  });

  it("keeps the order while the keyboard focus is in the table", async () => {
    const page = await site.open("/?range=15m&service=many");
    await page.locator("table.functions").waitFor();
    const before = await functionNames(page);
    await page.getByRole("button", { name: "Last seen" }).focus();
    await page.keyboard.press("Tab");
    await page.locator('[data-held="true"]').waitFor();
    await send(site.url, "many", [sum("f995", 50_000)]);
    await expectCell(page, "f995", "51 k");
    expect((await functionNames(page)).slice(0, 5)).toEqual(before.slice(0, 5));
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(before[0]);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: before[0] ?? "" }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("content");
    expectNoMisdeeds(page);
  });

  it("sends no requests while it is paused", async () => {
    const page = await site.open("/?range=15m&service=many");
    await page.clock.install();
    await page.reload();
    await page.locator("table.functions").waitFor();
    await page.getByRole("button", { name: "Live" }).click();
    await page.getByRole("button", { name: "Paused" }).waitFor();
    let requests = 0;
    page.on("request", () => requests++);
    await send(site.url, "many", [sum("f996", 9_000)]);
    await page.clock.runFor(600_000);
    expect(requests).toBe(0);
    await page.getByRole("button", { name: "Paused" }).click();
    await expectCell(page, "f996", "10 k");
    expectNoMisdeeds(page);
  });

  it("changes no more DOM nodes per sort and per scrolled frame for 1,000 functions than for 200", async () => {
    const [many, few] = [await changesIn("many"), await changesIn("few")];
    for (const { shown, sort, scrolled, frames } of [many, few]) {
      // A sort replaces every rendered row and changes the spacers.
      expect(sort).toBeLessThan(3 * shown);
      // A frame scrolls by about eight rows, and rows are rendered ten at a time. Two frames can fall together.
      expect(Math.max(...frames)).toBeLessThan(2 * shown);
      expect(scrolled).toBeGreaterThan(shown);
    }
    expect(many.shown).toBeLessThan(1.1 * few.shown);
    expect(many.sort).toBeLessThan(1.1 * few.sort);
    expect(many.scrolled).toBeLessThan(1.1 * few.scrolled);
  });

  /** Counts the nodes in the rendered rows, and the nodes that a sort and each scrolled frame add, remove or change. */
  async function changesIn(service: string) {
    const page = await site.open(`/?range=15m&service=${service}`);
    await page.locator("table.functions").waitFor();
    await page.getByRole("button", { name: "Live" }).click();
    expect(await page.locator("table.functions tbody tr").count()).toBeLessThan(120);
    const functions = await page.getByRole("table", { name: "Functions" }).getAttribute("aria-rowcount");
    expect(functions).toBe(String((service === "many" ? FUNCTIONS : FEW) + 1));

    await countChanges(page);
    const shown = await page.locator("table.functions tbody *").count();
    const sort = await sortByAverage(page);
    const frames = await scroll(page, FRAMES);
    // The last row is rendered at the end of the page.
    await page.keyboard.press("End");
    await page.locator(`tr[aria-rowindex="${functions}"]`).waitFor();
    expectNoMisdeeds(page);
    return { shown, sort, frames, scrolled: frames.reduce((sum, changes) => sum + changes) };
  }
});

declare global {
  /** The number of nodes added, removed or changed since the last call. */
  var takeChanges: () => number;
}

async function countChanges(page: Page): Promise<void> {
  await page.evaluate(() => {
    let changes = 0;
    const sizeOf = (nodes: NodeList) =>
      [...nodes].reduce(
        (sum, node) => sum + 1 + (node instanceof Element ? node.querySelectorAll("*").length : 0),
        0,
      );
    const add = (records: MutationRecord[]) => {
      for (const { type, addedNodes, removedNodes } of records) {
        changes += type === "childList" ? sizeOf(addedNodes) + sizeOf(removedNodes) : 1;
      }
    };
    const observer = new MutationObserver(add);
    observer.observe(document.body, {
      subtree: true,
      childList: true,
      attributes: true,
      characterData: true,
    });
    globalThis.takeChanges = () => {
      add(observer.takeRecords());
      const taken = changes;
      changes = 0;
      return taken;
    };
  });
}

/** Sorts by average. Returns how many nodes changed. */
function sortByAverage(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const heads = [...document.querySelectorAll<HTMLElement>("th button")];
    const head = heads.find((one) => one.textContent?.startsWith("Average"))!;
    takeChanges();
    head.click();
    while (!head.closest("th")!.ariaSort) await new Promise(requestAnimationFrame);
    return takeChanges();
  });
}

/** Scrolls by about eight rows per frame. Returns how many nodes changed in each frame. */
function scroll(page: Page, frames: number): Promise<number[]> {
  return page.evaluate(async (frames) => {
    const changes: number[] = [];
    takeChanges();
    for (let frame = 0; frame <= frames; frame++) {
      scrollTo(0, frame * 300);
      await new Promise(requestAnimationFrame);
      changes.push(takeChanges());
    }
    return changes;
  }, frames);
}

/** Waits for the refresh that shows these calls. Only the test's own time limit ends the wait. */
async function expectCell(page: Page, name: string, calls: string): Promise<void> {
  const row = page.locator("table.functions tbody tr", {
    has: page.getByRole("link", { name, exact: true }),
  });
  const cell = row.locator("td.calls").getByText(calls.replace(" ", "\u00a0"), { exact: true });
  await cell.waitFor({ timeout: 0 });
}

function manySamples(functions: number): object[] {
  return Array.from({ length: functions }, (_, i) => sum(`f${String(i).padStart(3, "0")}`, i + 1));
}

/** A sum of calls that took a millisecond each. */
function sum(name: string, calls: number): object {
  return { function: name, calls, sumMs: calls, minMs: 1, maxMs: 1, histogram: { "-1": calls } };
}
