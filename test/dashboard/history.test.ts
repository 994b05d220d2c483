import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hourOf, steadyHours, storePast } from "../../scripts/store-past.ts";
import { addServerTime, expectNoMisdeeds, type Site, skipped, startSite } from "./page.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEADY = "/?service=reports&module=&function=hourly";
const ONCE = "/?service=reports&module=&function=once";

interface Bounds {
  from: number;
  to: number;
}

/** 10:00 UTC, a week ago. */
const thatHour = Math.floor((Date.now() - 7 * DAY) / DAY) * DAY + 10 * HOUR;
const iso = (ms: number) => new Date(ms).toISOString();
const range = (from: number, to: number) => `&from=${iso(from)}&to=${iso(to)}`;

describe.skipIf(skipped)("data of 30 days", () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({
      store: (stateFolder) =>
        storePast(stateFolder, [
          { service: "reports", function: "hourly", rollups: steadyHours(30, 3_600) },
          { service: "reports", function: "once", rollups: [hourOf(thatHour / 1000, 1)] },
        ]),
    });
  });
  afterAll(() => site?.close());

  const open = (path: string) => site.open(`${path}&tz=utc`, { prepare: addServerTime });

  it("divides rates by the time since the first data, and says since when", async () => {
    const page = await open(`${STEADY}&range=90d`);
    const tile = page.locator(".tile", { hasText: "Calls/s" });
    await tile.getByText(/^since \d+ \w+, \d\d:00$/).waitFor();
    // 3,600 calls an hour, apart from the last two days, in which there were none.
    expect(Number(await tile.locator(".value").innerText())).toBeCloseTo(28 / 30, 1);
    await page.getByText(/^Data begins on \d+ \w+, \d\d:00\. Rates count from then\.$/).waitFor();
    await page.getByText("no earlier data to compare with").waitFor();
    expectNoMisdeeds(page);
  });

  for (const name of ["15m", "1h", "24h", "7d", "90d", "6h", "30d", "25h"]) {
    it(`compares ${name} with a previous range of the same length that does not overlap`, async () => {
      const asked: Bounds[] = [];
      const page = await site.open(`${STEADY}&range=${name}&tz=utc`, {
        prepare: async (page) => {
          await addServerTime(page);
          page.on("request", (request) => {
            const { pathname, searchParams } = new URL(request.url());
            if (pathname !== "/function") return;
            asked.push({ from: Number(searchParams.get("from")), to: Number(searchParams.get("to")) });
          });
        },
      });
      await page.locator(".chart canvas").first().waitFor();
      await page.waitForLoadState("networkidle");
      // There may be more than one of each, if a minute ended meanwhile.
      const pairs = asked.flatMap((now) =>
        asked.filter((before) => before.to === now.from).map((before) => ({ now, before })),
      );
      expect(pairs.length).toBeGreaterThan(0);
      for (const { now, before } of pairs) {
        expect(now.to - now.from).toBe(lengthOf(name));
        expect(before.to - before.from).toBe(lengthOf(name));
      }
      expectNoMisdeeds(page);
    });
  }

  it("shows the whole hours that it counts if it was asked for a part of them", async () => {
    const from = thatHour + 23 * MINUTE;
    const page = await open(`${STEADY}${range(from, from + HOUR)}`);
    const day = new Date(from).toLocaleDateString("en-GB", {
      day: "numeric",
      month: "short",
      timeZone: "UTC",
    });
    await page.getByText(`${day}, 10:00 – 12:00 (UTC)`).waitFor();
    await page.getByText(`compared with the previous 2 hours, ${day}, 08:00 – 10:00`).waitFor();
    await page
      .getByText(
        `You asked for ${day}, 10:23 – 11:23. The server keeps data of that age by the hour, so these are whole hours.`,
      )
      .waitFor();
    const tile = page.locator(".tile", { hasText: "Calls" }).first();
    expect((await tile.locator(".value").innerText()).replace("\u00a0", " ")).toBe("7.2 k");
    expect((await tile.locator(".before").innerText()).replaceAll("\u00a0", " ")).toBe("±0 %, was 7.2 k");
    expectNoMisdeeds(page);
  });

  it("does not compare an hour with itself", async () => {
    const page = await open(`${STEADY}${range(thatHour + 10 * MINUTE, thatHour + 25 * MINUTE)}`);
    await page.getByText("compared with").waitFor();
    expect(await page.locator(".covers").first().textContent()).toMatch(
      /10:00 – 11:00 \(UTC\) · compared with the previous hour, .* 09:00 – 10:00/,
    );
    expectNoMisdeeds(page);
  });

  it("draws one full bar and one point for a range of one step", async () => {
    const page = await open(`${ONCE}${range(thatHour, thatHour + HOUR)}`);
    await page.locator(".chart canvas").first().waitFor();
    // The bar fills most of the plot; the axis ends with the hour.
    expect(await paintedColumns(page, 0, "--calls")).toBeGreaterThan(0.7);
    expect(await paintedColumns(page, 1, "--p95")).toBeGreaterThan(0.005);
    const rows = await tableOf(page, 0);
    expect(rows).toEqual([[expect.stringMatching(/, 10:00 – 11:00$/), "1", "0", "–"]]);
    expect(await tableOf(page, 1)).toEqual([
      [expect.stringMatching(/, 10:00 – 11:00$/), ...Array<string>(3).fill("33 ms"), "–"],
    ]);
    expectNoMisdeeds(page);
  });

  it("draws both bars of a range of two steps", async () => {
    const page = await open(`${STEADY}${range(thatHour, thatHour + 2 * HOUR)}`);
    await page.locator(".chart canvas").first().waitFor();
    expect(await paintedColumns(page, 0, "--calls")).toBeGreaterThan(0.7);
    expectNoMisdeeds(page);
  });

  it("draws a point for each call of a function that is called rarely", async () => {
    const page = await open(`${ONCE}${range(thatHour - 12 * HOUR, thatHour + 12 * HOUR)}`);
    await page.locator(".chart canvas").nth(1).waitFor();
    expect(await paintedColumns(page, 1, "--p95")).toBeGreaterThan(0.005);
    expectNoMisdeeds(page);
  });

  it("has whole numbers only on the axis of counts", async () => {
    const page = await site.open(`${ONCE}${range(thatHour - 12 * HOUR, thatHour + 12 * HOUR)}`, {
      prepare: (page) =>
        page.addInitScript(() => {
          const texts: string[] = [];
          Object.assign(globalThis, { texts });
          const fillText = CanvasRenderingContext2D.prototype.fillText;
          CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
            texts.push(`${text} at ${Math.round(x)}, ${Math.round(y)}`);
            fillText.call(this, text, x, y);
          };
        }),
    });
    await page.locator(".chart canvas").nth(1).waitFor();
    const texts = await page.evaluate(() => (globalThis as unknown as { texts: string[] }).texts);
    const counts = texts
      .slice(
        0,
        texts.findIndex((text) => text.includes("ms")),
      )
      .filter((text) => /^\d+ at/.test(text));
    // A second drawing puts the same labels at the same places.
    expect([...new Set(counts)].map((text) => text.split(" ")[0]).toSorted()).toEqual(["0", "1"]);
    expectNoMisdeeds(page);
  });

  it("shows no rate for a range without calls", async () => {
    const page = await open(`${ONCE}${range(thatHour - 3 * HOUR, thatHour - 2 * HOUR)}`);
    const tile = page.locator(".tile", { hasText: "Error rate" });
    await tile.waitFor();
    expect(await tile.locator(".value").innerText()).toBe("–");
    await page.getByText(/^There is no data in this range\. Data begins on .*, 10:00\.$/).waitFor();
    expectNoMisdeeds(page);
  });

  it("says that a range lies in the future, and leads back", async () => {
    const from = Date.now() + 3 * DAY;
    for (const path of ["/?service=reports", STEADY]) {
      const page = await open(`${path}${range(from, from + HOUR)}`);
      await page.getByRole("heading", { name: "This range is in the future" }).waitFor();
      await page.getByText("It begins in 3 d").waitFor();
      expect(await page.getByText("0 calls").count()).toBe(0);
      await page.getByRole("link", { name: "Back to live" }).click();
      await page.getByRole("button", { name: "Live" }).waitFor();
      expectNoMisdeeds(page);
    }
  });

  it("says that a part of the range is still to come", async () => {
    const now = Math.ceil(Date.now() / MINUTE) * MINUTE;
    const page = await open(`${STEADY}${range(now - HOUR, now + 2 * HOUR)}`);
    await page.getByText(/^This range ends in 2\sh\./).waitFor();
    expect(await page.locator(".covers").first().textContent()).not.toContain("now");
    expectNoMisdeeds(page);
  });

  it("says why there is no comparison where the server keeps days only", async () => {
    const to = Date.now() - 84 * DAY;
    const page = await open(`${STEADY}${range(to - 4 * DAY - HOUR, to)}`);
    await page.getByText(/not compared, because the server keeps the previous .* by the day only/).waitFor();
    expect(await page.getByText("compared with").count()).toBe(0);

    expectNoMisdeeds(page);
  });

  it("goes from the past back to live with Later", async () => {
    const page = await open(`${STEADY}&range=1h`);
    await page.getByRole("button", { name: "Earlier" }).click();
    await page.getByText("Not live.").waitFor();
    await page.getByRole("button", { name: "Later" }).click();
    await page.getByRole("button", { name: "Live" }).waitFor();
    expect(new URL(page.url()).searchParams.get("from")).toBeNull();
    expectNoMisdeeds(page);
  });

  it("names a part of the address that it cannot read", async () => {
    const page = await open("/?range=bogus&sort=bogus&order=up&service=reports");
    await page.getByText("The address has range=bogus, which is not a length such as 6h or 30d.").waitFor();
    await page.getByText("The address has sort=bogus, which is not a column.").waitFor();
    await page.getByText("The address has order=up, which is neither asc nor desc.").waitFor();
    const hour = page.getByRole("button", { name: "1 h", exact: true });
    expect(await hour.getAttribute("aria-pressed")).toBe("true");
    expectNoMisdeeds(page);
  });
});

function lengthOf(name: string): number {
  const units: Record<string, number> = { m: MINUTE, h: HOUR, d: DAY };
  return Number.parseInt(name, 10) * units[name.at(-1)!]!;
}

/** The share of a chart's columns in which a colour of tokens.css is painted. */
function paintedColumns(page: Page, chart: number, colour: string): Promise<number> {
  return page.evaluate(
    async ({ chart, colour }) => {
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      const canvas = document.querySelectorAll<HTMLCanvasElement>(".chart canvas")[chart]!;
      const hex = getComputedStyle(document.documentElement).getPropertyValue(colour).trim();
      const [r, g, b] = [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
      const { data, width, height } = canvas
        .getContext("2d")!
        .getImageData(0, 0, canvas.width, canvas.height);
      let columns = 0;
      for (let x = 0; x < width; x++) {
        for (let y = 0; y < height; y++) {
          const i = (y * width + x) * 4;
          if (data[i] === r && data[i + 1] === g && data[i + 2] === b) {
            columns++;
            break;
          }
        }
      }
      return columns / width;
    },
    { chart, colour },
  );
}

/** Opens a chart's table and returns its cells. */
async function tableOf(page: Page, chart: number): Promise<string[][]> {
  const details = page.locator("figure").nth(chart).locator(".as-table");
  await details.locator("summary").click();
  const rows = await details.locator("tbody tr").all();
  return Promise.all(
    rows.map(async (row) =>
      (await row.locator("th, td").allTextContents()).map((text) => text.replaceAll("\u00a0", " ")),
    ),
  );
}
