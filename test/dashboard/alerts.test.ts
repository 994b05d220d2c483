import { once } from "node:events";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { send } from "../../scripts/seed.ts";
import { seriousProblems } from "./axe.ts";
import { expectNoMisdeeds, type Site, skipped, startSite } from "./page.ts";

/** An evaluation is at most a minute away. This limit only ends a test that hangs. */
const WITHIN_MS = 200_000;

describe.skipIf(skipped)("alerts", () => {
  let site: Site;
  let receiver: HttpServer;
  const received: string[] = [];
  beforeAll(async () => {
    receiver = createServer((request, response) => {
      request.setEncoding("utf8").on("data", (chunk: string) => received.push(chunk));
      request.on("end", () => response.end("thank you"));
    }).listen(0, "127.0.0.1");
    await once(receiver, "listening");
    site = await startSite({ vars: { MAX_ITEMS: "10000" } });
  });
  afterAll(async () => {
    receiver?.close();
    await site?.close();
  });
  const address = () => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;

  it("are set up by a new user on the page, and arrive", { timeout: 2 * WITHIN_MS }, async () => {
    const failing = Array.from({ length: 60 }, () => ({
      function: "pay",
      durationMs: 5,
      error: { name: "Error", message: "declined" },
    }));
    const calling = setInterval(() => void send(site.url, "shop", failing).catch(() => {}), 5_000);
    try {
      await send(site.url, "shop", failing);
      const page = await site.open("/?page=alerts");
      await page.getByRole("heading", { name: "Nothing fires" }).waitFor();
      await page.getByText("Nobody is told of anything yet.").waitFor();

      await page.getByLabel("Name").fill("me");
      await page.getByLabel("url").fill(address());
      await page.getByRole("button", { name: "Add target" }).click();
      await page.getByText(/me is added\. Its secret, shown this once: whsec_/).waitFor();
      await page.getByRole("button", { name: "Test me" }).click();
      await page.getByText("me took the sample: 200: thank you").waitFor();
      expect(received.join("")).toContain("Test: alerts of sample arrive here");

      // A rule, from what is seen on the function's page.
      await page.goto(new URL("/?service=shop&module=&function=pay", site.url).href);
      await page.getByText("Alert me about this").click();
      await page.getByRole("button", { name: "How often in 7 days?" }).click();
      await page.getByText(/It would have fired 0 times in the last seven days\./).waitFor();
      await page.getByLabel("How many").fill("50");
      await page.getByRole("button", { name: "Save rule" }).click();
      await page.getByText("The rule is saved. It is judged each minute.").waitFor();

      await page.getByRole("link", { name: "Alerts" }).click();
      await page.getByRole("heading", { name: /alerts? firing/ }).waitFor({ timeout: WITHIN_MS });
      expect(received.join("")).toContain("pay of shop");
      await page.getByText("me: delivered (200: thank you)").first().waitFor({ timeout: WITHIN_MS });
      expect(await seriousProblems(page)).toEqual([]);

      await page.getByRole("button", { name: "Acknowledge pay of shop" }).first().click();
      await page
        .getByText(/acknowledged/)
        .first()
        .waitFor();
      await page.getByRole("button", { name: "Silence 8 h: pay of shop" }).first().click();
      await page
        .getByText(/silenced/)
        .first()
        .waitFor();
      expectNoMisdeeds(page);
    } finally {
      clearInterval(calling);
    }
  });
});
