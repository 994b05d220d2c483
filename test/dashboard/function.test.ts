import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { seed, send } from "../../scripts/seed.ts";
import { expectNoMisdeeds, type Site, skipped, startSite } from "./page.ts";

const CHARGE_CARD = "/?service=payments&module=card&function=chargeCard";

describe.skipIf(skipped)("the page of one function", () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({ vars: { MAX_ITEMS: "10000" } });
    await seed(site.url);
  });
  afterAll(() => site?.close());

  it("opens from the table and closes with the browser's Back button", async () => {
    const page = await site.open("/?service=payments");
    await page.locator("table.functions").getByRole("link", { name: "chargeCard" }).click();
    await page.getByRole("heading", { level: 1, name: "chargeCard" }).waitFor();
    expect(new URL(page.url()).search).toBe("?service=payments&module=card&function=chargeCard");
    expect(await page.title()).toBe("chargeCard · payments · MetricsCollector");
    await page.goBack();
    await page.locator("table.functions").waitFor();
    expect(await page.getByLabel("Service", { exact: true }).inputValue()).toBe("payments");
    expectNoMisdeeds(page);
  });

  it("shows its numbers next to those of the previous range", async () => {
    const page = await site.open(CHARGE_CARD);
    const tile = page.locator(".tile", { hasText: "Error rate" });
    await tile.locator(".worse").waitFor();
    const shown = async () => (await tile.locator(".value").innerText()).replace("\u00a0", " ");
    const stored = async () => {
      const to = Math.ceil(Date.now() / 60_000) * 60_000;
      const query = `module=card&from=${to - 3_600_000}&to=${to}`;
      const answer = await fetch(new URL(`/metrics/payments/chargeCard?${query}`, site.url));
      const { range } = (await answer.json()) as { range: { errorRate: number } };
      return `${(range.errorRate * 100).toFixed(1)} %`;
    };
    // Asked again if a minute ends between the two readings.
    await vi.waitFor(async () => expect(await shown()).toBe(await stored()));
    expect(await tile.locator(".before").innerText()).toMatch(/^▲ ×\d\d?(\.\d)?, was 0\.\d\u00a0%$/);
    expectNoMisdeeds(page);
  });

  it("lists its failures and draws the distribution of durations", async () => {
    const page = await site.open(CHARGE_CARD);
    const failures = page.locator("table.failures tbody tr");
    await failures.first().waitFor();
    expect(await failures.locator("b").allTextContents()).toEqual([
      "CardGatewayError",
      "TimeoutError",
      "CardDeclined",
    ]);
    expect(await failures.first().locator("td").last().innerText()).toBe("just now");
    await page.locator(".histogram .bar").first().waitFor();
    const markers = await page.locator(".markers li").allInnerTexts();
    expect(markers.map((text) => text.trim())).toEqual([
      expect.stringMatching(/^p50 2\d\d\u00a0ms$/),
      expect.stringMatching(/^p95 [45]\d\d\u00a0ms$/),
      expect.stringMatching(/^p99 [78]\d\d\u00a0ms$/),
    ]);
    expectNoMisdeeds(page);
  });

  it("zooms to the part of a chart that is dragged over", async () => {
    const page = await site.open(CHARGE_CARD);
    const plot = page.locator(".chart .u-over").first();
    await plot.waitFor();
    const box = (await plot.boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.25, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 70, { steps: 5 });
    await page.mouse.up();
    await page.getByText("Not live").waitFor();
    const params = new URL(page.url()).searchParams;
    const minutes = (Date.parse(params.get("to")!) - Date.parse(params.get("from")!)) / 60_000;
    expect(minutes).toBeGreaterThanOrEqual(14);
    expect(minutes).toBeLessThanOrEqual(18);
    // The incident began 16 minutes ago. This range ended before that.
    await page.locator(".tile", { hasText: "Error rate" }).getByText("0.4").first().waitFor();
    await page.goBack();
    await page.getByRole("button", { name: "Live" }).waitFor();
    expectNoMisdeeds(page);
  });

  it("zooms and moves with the keyboard", async () => {
    const page = await site.open(CHARGE_CARD);
    await page.getByRole("button", { name: "Zoom in" }).press("Enter");
    await page.getByText("Not live").waitFor();
    const minuteOf = (name: string) => Date.parse(new URL(page.url()).searchParams.get(name) ?? "") / 60_000;
    const from = minuteOf("from");
    const length = minuteOf("to") - from;
    expect(length).toBeCloseTo(30, -1);
    await page.getByRole("button", { name: "Earlier" }).press("Enter");
    expect([minuteOf("from"), minuteOf("to")]).toEqual([from - length, from]);
    expectNoMisdeeds(page);
  });

  it("works for every name that a function can have", async () => {
    const names = ["index", ".", "..", "a/b?c=d&e", "<b>50 %</b>", "Größe 🙂", "weird.name", ":id"];
    await send(
      site.url,
      "odd names/ä",
      names.map((name) => ({ function: name, durationMs: 3 })),
    );
    const page = await site.open("/?service=odd+names%2F%C3%A4");
    for (const name of names) {
      await page.locator("table.functions").getByRole("link", { name, exact: true }).click();
      await page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
      await page.locator(".tiles").waitFor();
      expect(await page.locator(".tile .value").first().innerText()).toBe("1");
      await page.goBack();
    }
    expectNoMisdeeds(page);
  });

  it("says that the function is unknown", async () => {
    const page = await site.open("/?service=payments&function=nobody");
    await page.getByRole("heading", { level: 1, name: "Unknown function" }).waitFor();
    expect(await page.getByRole("alert").innerText()).toBe(
      "The service payments has no function nobody. It may have another name, or it was never called.",
    );
    await page.getByRole("link", { name: "See the functions of payments" }).click();
    await page.getByRole("link", { name: "refund", exact: true }).waitFor();
    expectNoMisdeeds(page, { except: /status of 404/ });
  });
});
