/** Starts a server and a browser for tests of the page, and records errors that no test may cause. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";
import { findChromium, launchChromium } from "../../scripts/browser.ts";
import { Server, type ServerOptions } from "../../scripts/server.ts";

const chromium = await findChromium();

/** The reason why the dashboard's tests cannot run on this machine, if there is one. In CI that is an error. */
export const skipped = ((): string | undefined => {
  if (chromium !== undefined) return undefined;
  const reason =
    "there is no Chromium here. Install one (Debian: apt-get install chromium; anywhere on Linux: " +
    "npm install --no-save @sparticuz/chromium), or name one in CHROME_PATH.";
  if (process.env.CI) throw new Error(`The dashboard's tests must run in CI, but ${reason}`);
  // Not through console, because vitest hides the console output of skipped tests.
  process.stderr.write(`\nSKIPPED: all tests of the dashboard, since ${reason}\n`);
  return reason;
})();

export interface Site {
  url: string;
  stateFolder: string;
  /** Opens a page in a new browser context, without cookies or storage of other pages. */
  open: (path?: string, options?: OpenOptions) => Promise<Page>;
  close: () => Promise<void>;
}

export interface OpenOptions extends BrowserContextOptions {
  /** Runs before the page loads. */
  prepare?: (page: Page) => Promise<unknown>;
}

export interface SiteOptions extends Pick<ServerOptions, "vars" | "token"> {
  /** Changes the stored data between a first start of the server, which creates the tables, and the second one. */
  store?: (stateFolder: string) => Promise<void>;
}

export async function startSite({ store, ...options }: SiteOptions = {}): Promise<Site> {
  const startServer = (stateFolder: string) => Server.start({ command: "dev", stateFolder, ...options });
  const stateFolder = await mkdtemp(join(tmpdir(), "metrics-collector-page-"));
  if (store) {
    await (await startServer(stateFolder)).stop();
    await store(stateFolder);
  }
  const [server, browser] = await Promise.all([startServer(stateFolder), launchChromium(chromium!)]);
  return {
    url: server.url,
    stateFolder,
    open: (path = "/", options = {}) => openPage(browser, server.url, path, options),
    close: async () => {
      await browser.close();
      await server.stop();
      await rm(stateFolder, { recursive: true, force: true });
    },
  };
}

/** Errors, warnings and foreign requests of each page. */
const misdeeds = new WeakMap<Page, string[]>();

/** @throws if the page logged an error or a warning, or sent a request to another server */
export function expectNoMisdeeds(page: Page, { except = /^$/ } = {}): void {
  expect(misdeeds.get(page)!.filter((misdeed) => !except.test(misdeed))).toEqual([]);
}

async function openPage(
  browser: Browser,
  url: string,
  path: string,
  { prepare, ...options }: OpenOptions,
): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1400, height: 900 },
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  const seen: string[] = [];
  misdeeds.set(page, seen);
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) seen.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => seen.push(`uncaught: ${error.message}`));
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== url && protocol !== "data:") seen.push(`request: ${request.url()}`);
  });
  await prepare?.(page);
  await page.goto(new URL(path, url).href);
  return page;
}

/** Every request to the API; the page itself and its files are not among them. */
export const API =
  /\/(metrics|attention|function|health|search|services|dead-letters|alerts|api\/v1)(\/|\?|$)/;

/** Adds the server's time to answers that lack it, as every deployed Worker sends it. */
export async function addServerTime(page: Page): Promise<void> {
  await page.route(API, async (route) => {
    const response = await route.fetch();
    const headers = { date: new Date().toUTCString(), ...response.headers() };
    await route.fulfill({ response, headers });
  });
}
