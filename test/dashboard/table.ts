/** Reads the functions table for tests. */
import type { Page } from "playwright-core";

/** The functions in the table, from top to bottom. */
export async function functionNames(page: Page): Promise<string[]> {
  return page.locator("table.functions tbody th a").allTextContents();
}

/** The texts of a function's cells, chosen by their classes. */
export async function cellsOf(page: Page, name: string, ...classes: string[]): Promise<string[]> {
  const row = page.locator("table.functions tbody tr").filter({
    has: page.getByRole("link", { name, exact: true }),
  });
  const texts = await Promise.all(classes.map((one) => row.locator(`td.${one}`).textContent()));
  return texts.map((text) => text!.replaceAll("\u00a0", " "));
}
