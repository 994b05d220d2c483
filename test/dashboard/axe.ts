/** Runs axe on a page and returns its serious and critical findings as short lines. */
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import type { AxeResults } from "axe-core";

const SCRIPT = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

export async function seriousProblems(page: Page): Promise<string[]> {
  // Evaluated through the debugger, because the page's Content-Security-Policy blocks injected scripts.
  await page.evaluate(await readFile(SCRIPT, "utf8"));
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
}
