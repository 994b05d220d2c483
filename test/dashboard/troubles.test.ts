import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seed } from "../../scripts/seed.ts";
import { expectNoMisdeeds, type Site, skipped, startSite } from "./page.ts";

const CHARGE_CARD = "/?service=payments&module=card&function=chargeCard";

describe.skipIf(skipped)("a collector in trouble", () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({ vars: { MAX_ITEMS: "10000" } });
    await seed(site.url);
  });
  afterAll(() => site?.close());

  const degraded = {
    status: "degraded",
    problems: ["Entry 1 of READ_TOKENS has a space in its token.", "D1 does not answer."],
    overflow: ["shop"],
    rejectedSamples: { too_old: 3 },
  };
  const openDegraded = (path: string, changes: object = {}) =>
    site.open(path, {
      prepare: (page) =>
        page.route("**/health", async (route) => {
          const health = (await (await route.fetch()).json()) as object;
          await route.fulfill({ status: 503, json: { ...health, ...degraded, ...changes } });
        }),
    });
  const except = { except: /status of 503/ };

  it("is seen on every page", async () => {
    for (const path of ["/", CHARGE_CARD]) {
      const page = await openDegraded(path);
      const alert = page.getByRole("alert").filter({ hasText: "The collector is degraded." });
      await alert
        .getByText("Entry 1 of READ_TOKENS has a space in its token. And 2 more problems.")
        .waitFor();
      await alert.getByRole("link", { name: "See the pipeline" }).click();
      await page.getByRole("heading", { name: "The collector is degraded" }).waitFor();
      expect(await page.locator(".problems li").count()).toBe(3);
      await page.getByText("too_old").waitFor();
      expectNoMisdeeds(page, except);
    }
  });

  it("is not called healthy because of an overflow alone", async () => {
    const page = await openDegraded("/?page=pipeline", { status: "ok", problems: [] });
    await page.getByRole("heading", { name: "The collector is degraded" }).waitFor();
    await page.getByText('The service "shop" has more functions than the limit.').waitFor();
    expect(await page.getByText("The collector is healthy").count()).toBe(0);

    expectNoMisdeeds(page, except);
  });

  it("does not claim that nothing was measured", async () => {
    const page = await openDegraded("/");
    await page.route("**/metrics?**", async (route) => {
      const list = (await (await route.fetch()).json()) as object;
      await route.fulfill({ json: { ...list, functions: [] } });
    });
    await page.reload();
    await page.getByText("The collector has problems, so calls may not arrive.").waitFor();
    expect(await page.getByText("The collector is degraded.").count()).toBe(1);

    expectNoMisdeeds(page, except);
  });

  it("reports samples that are rejected while the page is open", async () => {
    let rejected = 2;
    let first: Promise<unknown> = Promise.resolve();
    const page = await site.open("/", {
      prepare: async (page) => {
        await page.clock.install();
        first = page.waitForResponse("**/health");
        await page.route("**/health", async (route) => {
          const health = (await (await route.fetch()).json()) as object;
          await route.fulfill({ json: { ...health, rejectedSamples: { too_old: rejected } } });
        });
      },
    });
    await page.getByText(/^Updated/).waitFor();
    await first;
    rejected = 5;
    await page.clock.runFor(10_000);
    const alert = page.getByRole("alert");
    await alert.waitFor();
    expect(await alert.textContent()).toContain(
      "The collector rejected 3 samples since you opened this page.",
    );

    expectNoMisdeeds(page);
  });
});
