import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seed, send } from "../../scripts/seed.ts";
import { shopPast, storePast } from "../../scripts/store-past.ts";
import { addServerTime, API, expectNoMisdeeds, type Site, skipped, startSite } from "./page.ts";
import { cellsOf } from "./table.ts";

const MINUTE = 60_000;
const CHARGE_CARD = "/?service=payments&module=card&function=chargeCard";
const PAGES = { functions: "/", "one function": CHARGE_CARD, pipeline: "/?page=pipeline" };
const FAILED_REQUEST = /Failed to load resource/;

describe.skipIf(skipped)("time on the page", () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({
      vars: { MAX_ITEMS: "10000" },
      store: (stateFolder) => storePast(stateFolder, shopPast()),
    });
    await seed(site.url);
  });
  afterAll(() => site?.close());

  /** A browser whose clock is wrong by so many milliseconds. */
  // Paused, so that no later refresh corrects the first numbers.
  const openWithClock = (path: string, aheadMs: number, { isPaused = false } = {}) =>
    site.open(path, {
      prepare: async (page) => {
        if (isPaused)
          await page.addInitScript(() => sessionStorage.setItem("metrics-collector.paused", "true"));
        await page.clock.install({ time: Date.now() + aheadMs });

        await addServerTime(page);
      },
    });

  for (const [name, aheadMs] of Object.entries({
    "7 minutes fast": 7 * MINUTE,
    "2 hours slow": -120 * MINUTE,
  })) {
    it(`follows the server's time if the browser's clock is ${name}`, async () => {
      const page = await openWithClock("/?tz=utc", aheadMs, { isPaused: true });
      await page.getByRole("heading", { level: 1, name: "3 of 14 functions need attention" }).waitFor();
      expect((await cellsOf(page, "sendReceipt", "lastSeen"))[0]).toMatch(/^2\d min ago$/);
      expect((await cellsOf(page, "refund", "lastSeen"))[0]).toMatch(/^(just now|[23] min ago)$/);
      const covers = (await page.locator(".covers").first().textContent()) ?? "";
      const shownHour = /, (\d\d):\d\d – now/.exec(covers)?.[1];
      expect(Number(shownHour)).toBe(new Date(Date.now() - 60 * MINUTE + MINUTE).getUTCHours());
      await page
        .getByText(`The clock of this device is ${aheadMs > 0 ? "7 min fast" : "2 h slow"}.`)
        .waitFor();
      expectNoMisdeeds(page);
    });
  }

  it("says so if the server sends no time", async () => {
    const page = await site.open("/", {
      prepare: (page) =>
        page.route(API, async (route) => {
          const response = await route.fetch();
          const { date: _, ...headers } = response.headers();
          await route.fulfill({ response, headers });
        }),
    });
    await page.getByText("The server sent no time, so this page uses the clock of this device.").waitFor();
    expect(await page.locator(".status .clock").count()).toBe(1);

    expectNoMisdeeds(page);
  });

  for (const [name, path] of Object.entries(PAGES)) {
    it(`shows within 15 s that the server hangs, keeps the numbers, and recovers: ${name}`, async () => {
      const page = await openWithClock(path, 0);
      await page.getByRole("button", { name: "Live" }).waitFor();
      await page.getByText(/^Updated .*, refreshes every/).waitFor();
      const heading = await page.getByRole("heading", { level: 1 }).textContent();
      const release = await hang(page);
      await page.clock.runFor(15_000);
      await page.getByRole("button", { name: /Waiting|Not refreshed/ }).waitFor();
      await page.getByText(/The server has not answered for \d+\ss/).waitFor();
      expect(await page.getByRole("button", { name: "Live" }).count()).toBe(0);
      // Each request has a time limit.
      await page.clock.runFor(35_000);
      await page.getByText("The server did not answer within 30 seconds.").first().waitFor();
      await page.getByText("Not refreshed.").waitFor();
      expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe(heading);
      release();
      await page.clock.runFor(15_000);
      await page.getByRole("button", { name: "Live" }).waitFor();
      expect(await page.getByText("Not refreshed.").count()).toBe(0);
      expectNoMisdeeds(page, { except: FAILED_REQUEST });
    });

    it(`shows within 15 s that the server is gone: ${name}`, async () => {
      const page = await openWithClock(path, 0);
      await page.getByText(/^Updated .*, refreshes every/).waitFor();
      await page.unrouteAll({ behavior: "ignoreErrors" });
      await page.route(API, (route) => route.abort());
      await page.clock.runFor(15_000);
      await page.getByText("The server could not be reached.").first().waitFor();
      expect(await page.getByRole("heading", { level: 1 }).count()).toBe(1);

      expectNoMisdeeds(page, { except: FAILED_REQUEST });
    });
  }

  it("shows a hanging server on a fixed range as well", async () => {
    const to = Date.now() - 10 * MINUTE;
    const page = await openWithClock(`/?from=${to - 30 * MINUTE}&to=${to}`, 0);
    await page.locator("table.functions").waitFor();
    await hang(page);
    await page.clock.runFor(15_000);
    // On a slow machine the time limit may have passed already.
    await page
      .getByText(/The server (has not answered for \d+\ss|did not answer within 30 seconds)/)
      .first()
      .waitFor();
    expect(await page.locator("table.functions").count()).toBe(1);
  });

  it("says how old the numbers are when a tab is shown again after hours, until it has new ones", async () => {
    const page = await openWithClock("/", 0);
    await page.getByText(/^Updated .*, refreshes every 10\ss/).waitFor();
    await setHidden(page, true);
    await page.clock.fastForward("04:00:00");
    const release = await hang(page);
    await setHidden(page, false);
    await page.getByText("Not refreshed. Waiting for new numbers.").waitFor();
    await page.getByText("Updated 4 h ago").waitFor();
    expect(await page.getByRole("button", { name: "Live" }).count()).toBe(0);
    release();
    await page.getByRole("button", { name: "Live" }).waitFor();
    expect(await page.getByText("Not refreshed.").count()).toBe(0);
    expectNoMisdeeds(page, { except: FAILED_REQUEST });
  });

  it("tells the real interval if a slow server makes it longer", async () => {
    const page = await site.open("/", {
      prepare: async (page) => {
        await page.clock.install();
        await page.route(API, async (route) => {
          const response = await route.fetch();
          if (route.request().url().includes("points=")) await page.clock.runFor(4_500);
          await route.fulfill({
            response,
            headers: { ...response.headers(), date: new Date().toUTCString() },
          });
        });
      },
    });
    await page.getByText(/refreshes every ([4-9]\d\ss|\d+\smin)/).waitFor();
    expect(await page.getByRole("button", { name: "Live" }).count()).toBe(1);

    expectNoMisdeeds(page);
  });

  it("says that the comparison could not be loaded, and loads it on request", async () => {
    // The range ends now, the one before it an hour ago.
    const isPrevious = (url: string) =>
      Number(new URL(url).searchParams.get("to")) < Date.now() - 50 * MINUTE;
    let isBroken = true;
    const page = await site.open(CHARGE_CARD, {
      prepare: (page) =>
        page.route("**/function?**", async (route) => {
          if (!isBroken || !isPrevious(route.request().url())) return route.continue();
          const error = { code: "internal_error", message: "The request failed." };
          return route.fulfill({ status: 500, json: { error } });
        }),
    });
    await page.getByText("Could not load the previous range.").waitFor();
    expect(await page.getByText("compared with").count()).toBe(0);
    isBroken = false;
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("compared with the previous hour").waitFor();
    expect(await page.getByText("Could not load the previous range.").count()).toBe(0);
    expectNoMisdeeds(page, { except: /status of 500/ });
  });

  it("counts a function that was called once as 1 call", async () => {
    await send(site.url, "once", [{ function: "single", durationMs: 5, error: { name: "E", message: "m" } }]);
    const page = await site.open("/?service=once");
    await page.getByText(/^1 call, .* per second, 1 error \(100\s%\)$/).waitFor();
    expect(await page.locator("td.calls .quantity").getAttribute("title")).toBe("1 call");
    expectNoMisdeeds(page);
  });
});

/** From now on no request to the API gets an answer, until the returned function is called. */
async function hang(page: Page): Promise<() => void> {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  let isHanging = true;
  await page.route(API, async (route) => {
    if (!isHanging) return route.fallback();
    await released;
    // The page has given up on it.
    return route.abort().catch(() => {});
  });
  return () => {
    isHanging = false;
    release();
  };
}

async function setHidden(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate((isHidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => isHidden });
    document.dispatchEvent(new Event("visibilitychange"));
  }, isHidden);
}
