/** Finds and starts Chromium: the one at CHROME_PATH, else the system's, else the npm package `@sparticuz/chromium`. */
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

/** Switches off what Chromium does by itself, such as updates, so that it sends no request to other machines. */
const QUIET = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
];

/**
 * The path of a Chromium, or undefined if none is installed.
 *
 * @throws {Error} if CHROME_PATH is set to something that cannot be run
 */
export async function findChromium(): Promise<string | undefined> {
  const named = process.env.CHROME_PATH;
  if (named) {
    if (await isProgram(named)) return named;
    throw new Error(
      `CHROME_PATH is ${named}, which is not an executable file. Set it to a Chromium, or unset it.`,
    );
  }
  for (const path of SYSTEM) if (await isProgram(path)) return path;
  return unpackChromium();
}

/** The browser in `@sparticuz/chromium`, if that package is installed. It is no dependency because it takes 75 MB. */
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

/** Starts a browser with a temporary profile, which is deleted when the browser closes. */
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
