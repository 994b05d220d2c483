import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { seed, send } from "../../scripts/seed.ts";
import { expectNoMisdeeds, type Site, skipped, startSite } from "./page.ts";
import { functionNames } from "./table.ts";

describe.skipIf(skipped)("names", () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({ vars: { MAX_ITEMS: "10000" } });
    await seed(site.url);
    const many = Array.from({ length: 500 }, (_, i) => ({ function: `f${i}`, durationMs: 5 }));
    await send(site.url, "many", many);
  });
  afterAll(() => site?.close());

  it("keeps a right-to-left name from reordering the text around it", async () => {
    const names = ["\u202eevil", "חשבון"];
    await send(
      site.url,
      "rtl",
      names.map((name) => ({ function: name, module: "מודול", durationMs: 5 })),
    );
    const page = await site.open("/?service=rtl");
    for (const name of names) {
      const link = page.locator("table.functions").getByRole("link", { name });
      await link.waitFor();
      expect(await link.locator("bdi").textContent()).toBe(name);
    }
    expect(await page.locator("table.functions .module bdi").count()).toBe(2);
    await page.locator("table.functions").getByRole("link", { name: names[0]! }).click();
    await page.getByRole("heading", { level: 1 }).waitFor();
    expect(await page.title()).toBe(`\u2068${names[0]}\u2069 · rtl · MetricsCollector`);
    await page.goBack();
    expect(await page.locator("table.functions td.service bdi").first().textContent()).toBe("rtl");
    expectNoMisdeeds(page);
  });

  it("shows names in full at 1,024 px and in print", async () => {
    const page = await site.open("/", { viewport: { width: 1024, height: 800 } });
    await page.locator("table.functions").waitFor();
    const cut = () =>
      page.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>("table.functions .names")]
          .filter((e) => e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight + 1)
          .map((e) => e.textContent),
      );
    expect(await cut()).toEqual([]);
    await page.emulateMedia({ media: "print" });
    expect(await cut()).toEqual([]);
    await page.setViewportSize({ width: 718, height: 1_000 });
    expect(await cut()).toEqual([]);
    expectNoMisdeeds(page);
  });

  it("prints every row of a long table", async () => {
    const page = await site.open("/?service=many");
    await page.locator("table.functions").waitFor();
    expect(await page.locator("table.functions tbody tr").count()).toBeLessThan(200);
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    expect(await functionNames(page)).toHaveLength(500);
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    await vi.waitFor(async () => expect((await functionNames(page)).length).toBeLessThan(200));
    expectNoMisdeeds(page);
  });
});
