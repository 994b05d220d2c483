import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seed } from "../../scripts/seed.ts";
import { expectNoMisdeeds, type Site, skipped, startSite } from "./page.ts";

const CHARGE_CARD = "/?service=payments&module=card&function=chargeCard";

describe.skipIf(skipped)("charts", () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({ vars: { MAX_ITEMS: "10000" } });
    await seed(site.url);
  });
  afterAll(() => site?.close());

  it("tell their values by the arrow keys", async () => {
    // A fixed range does not move on between two keys.
    const to = Math.floor(Date.now() / 60_000) * 60_000;
    const page = await site.open(`${CHARGE_CARD}&from=${to - 3_600_000}&to=${to}`);
    await page.locator(".worse").first().waitFor();
    const chart = page.getByRole("slider", { name: /^Calls and errors over time/ });
    await chart.focus();
    await page.keyboard.press("End");
    const last = await chart.getAttribute("aria-valuetext");
    expect(last).toMatch(/^\d+ \w+, \d\d:\d\d – .*\d\d:\d\d: Calls \d+, Errors \d+, Calls before \d+$/);
    await page.keyboard.press("ArrowLeft");
    const earlier = await chart.getAttribute("aria-valuetext");
    expect(earlier).not.toBe(last);
    // Both charts show the same moment.
    const moment = earlier!.slice(0, earlier!.indexOf(": Calls"));
    await page.locator(".legend").nth(1).getByText(moment).waitFor();
    await page.keyboard.press("Home");
    expect(await chart.getAttribute("aria-valuenow")).toBe("0");
    await page.keyboard.press("Escape");
    expect(await chart.getAttribute("aria-valuetext")).toBe("No step chosen");
    // The two charts move each other's cursor. They once did so without end, and froze the page.
    for (let i = 0; i < 10; i++) for (const key of ["End", "Home"]) await page.keyboard.press(key);
    expect(await chart.getAttribute("aria-valuenow")).toBe("0");
    expectNoMisdeeds(page);
  });

  it("have a table on demand", async () => {
    const page = await site.open(CHARGE_CARD);
    const tables = page.locator(".as-table");
    await tables.nth(2).waitFor();
    for (const i of [0, 1, 2]) await tables.nth(i).locator("summary").click();
    expect(await tables.nth(0).locator("tbody tr").count()).toBe(60);
    expect(await tables.nth(1).locator("thead th").allTextContents()).toEqual([
      "Time",
      "p50",
      "p95",
      "p99",
      "p95 before",
    ]);
    expect(await tables.nth(2).locator("tbody tr").count()).toBeGreaterThan(10);
    expectNoMisdeeds(page);
  });

  it("tell their lines apart without colour", async () => {
    const page = await site.open(CHARGE_CARD);
    await page.locator(".legend").nth(1).waitFor();
    const shapes = await page
      .locator(".legend")
      .nth(1)
      .locator("path")
      .evaluateAll((paths) =>
        paths.map((p) => `${p.getAttribute("stroke-width")} ${p.getAttribute("stroke-dasharray")}`),
      );
    expect(shapes).toEqual(["1.25 null", "3 null", "2 2 3", "1.5 7 4"]);
    expect(new Set(shapes).size).toBe(4);
    expectNoMisdeeds(page);
  });

  it("are zoomed by a finger", async () => {
    const page = await site.open(CHARGE_CARD, { hasTouch: true, viewport: { width: 390, height: 844 } });
    const plot = page.locator(".chart .u-over").first();
    await plot.scrollIntoViewIfNeeded();
    const box = (await plot.boundingBox())!;
    const touch = await page.context().newCDPSession(page);
    const y = box.y + 60;
    const at = (x: number) => [{ x: box.x + box.width * x, y }];
    await touch.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: at(0.2) });
    for (const x of [0.25, 0.35, 0.5]) {
      await touch.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: at(x) });
    }
    await touch.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await page.getByText("Not live.").waitFor();
    const params = new URL(page.url()).searchParams;
    const minutes = (Date.parse(params.get("to")!) - Date.parse(params.get("from")!)) / 60_000;
    expect(minutes).toBeGreaterThanOrEqual(16);
    expect(minutes).toBeLessThanOrEqual(21);
    expectNoMisdeeds(page);
  });
});
