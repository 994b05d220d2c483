/** Finds a Chromium: CHROME_PATH, then the system's, then the one that npm can bring. */
import { access, constants } from "node:fs/promises";
import { type Browser, chromium } from "playwright-core";

const SYSTEM = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** Nothing that a browser does on its own, and so nothing that leaves this machine. */
const QUIET = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
];

/** Undefined where there is none. @throws where CHROME_PATH names nothing that can be run */
export async function findChromium(): Promise<string | undefined> {
  const named = process.env.CHROME_PATH;
  if (named) {
    if (await isProgram(named)) return named;
    throw new Error(`CHROME_PATH is ${named}, which is no program.`);
  }
  for (const path of SYSTEM) if (await isProgram(path)) return path;
  return unpackChromium();
}

/** Of the package @sparticuz/chromium, where somebody installed it: 75 MB are too much to ask of everybody. */
async function unpackChromium(): Promise<string | undefined> {
  const name = "@sparticuz/chromium";
  try {
    const { default: chromium } = (await import(name)) as { default: { executablePath(): Promise<string> } };
    return await chromium.executablePath();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

/** With a profile of its own, which goes with it. */
export function launchChromium(executablePath: string): Promise<Browser> {
  // Chromium's sandbox does not work for root, as in a container.
  return chromium.launch({ executablePath, args: QUIET, chromiumSandbox: process.getuid?.() !== 0 });
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
