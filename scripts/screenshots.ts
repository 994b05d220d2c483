/** `npm run screenshots`: takes the README's pictures of the dashboard with example data and writes them to docs/. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { findChromium, launchChromium } from "./browser.ts";
import { seed } from "./seed.ts";
import { Server } from "./server.ts";
import { shopPast, storePast } from "./store-past.ts";
import { PROJECT } from "./wrangler.ts";

const DOCS = join(PROJECT, "docs");
const CHARGE_CARD = "/?service=payments&module=card&function=chargeCard";

interface Shot {
  name: string;
  path: string;
  /** A selector that matches once the page is complete. */
  until: string;
  context: BrowserContextOptions;
}

const SHOTS: Shot[] = [
  { name: "overview", path: "/", until: ".attention", context: { viewport: { width: 1360, height: 860 } } },
  {
    name: "function-light",
    path: CHARGE_CARD,
    until: ".worse",
    context: { viewport: { width: 1360, height: 934 } },
  },
  {
    name: "function-dark",
    path: CHARGE_CARD,
    until: ".worse",
    context: { viewport: { width: 1360, height: 934 }, colorScheme: "dark" },
  },
  {
    name: "phone",
    path: "/",
    until: ".attention",
    context: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  },
];

const chromium = await findChromium();
if (chromium === undefined)
  throw new Error("No Chromium found. Install one, or set CHROME_PATH to the path of one.");
const stateFolder = await mkdtemp(join(tmpdir(), "metrics-collector-screenshots-"));
const vars = { MAX_ITEMS: "10000" };
// The first start creates the tables.
await (await Server.start({ stateFolder, vars })).stop();
await storePast(stateFolder, shopPast());
const server = await Server.start({ stateFolder, vars });
const browser = await launchChromium(chromium);
try {
  await seed(server.url);
  await mkdir(DOCS, { recursive: true });
  for (const shot of SHOTS) await take(browser, shot);
} finally {
  await browser.close();
  await server.stop();
  await rm(stateFolder, { recursive: true, force: true });
}

async function take(browser: Browser, { name, path, until, context }: Shot): Promise<void> {
  const page = await browser.newPage({ colorScheme: "light", reducedMotion: "reduce", ...context });
  await page.goto(new URL(path, server.url).href);
  await page.locator(until).first().waitFor();
  await page.waitForLoadState("networkidle");
  const file = join(DOCS, `dashboard-${name}.png`);
  await page.screenshot({ path: file });
  console.log(file.slice(PROJECT.length + 1));
  await page.close();
}
