import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { seed } from "../../scripts/seed.ts";
import { seriousProblems } from "./axe.ts";
import { expectNoMisdeeds, type Site, skipped, startSite } from "./page.ts";

const RATE = "sum by (function) (rate(function_calls_total[5m]))";

describe.skipIf(skipped)("the page for queries in PromQL", () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({ vars: { MAX_ITEMS: "10000" } });
    await seed(site.url);
  });
  afterAll(() => site?.close());

  it("completes names of metrics, labels, their values and functions", async () => {
    const page = await site.open("/?page=explore");
    await editor(page).click();
    await page.keyboard.type("histogram_q");
    await offered(page, "histogram_quantile");
    // An experimental function, which the server refuses.
    expect(await options(page)).not.toContain("histogram_quantiles");
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.type("sum(function_calls_to");
    await accept(page, "function_calls_total");
    await page.keyboard.type("{fun");
    await accept(page, "function");
    await page.keyboard.type('="charge');
    await accept(page, "chargeCard");
    expect(await textOf(page)).toBe('sum(function_calls_total{function="chargeCard"})');
    expectNoMisdeeds(page);
  });

  it("marks an error at its place while the reader types, and says what the API says", async () => {
    const wrong = "sum by (function) (rat(function_calls_total[5m]))";
    const page = await site.open("/?page=explore");
    await editor(page).click();
    await page.keyboard.insertText(wrong);
    const mark = page.locator(".cm-lintRange-error");
    await mark.waitFor();
    expect(await mark.textContent()).toBe("rat");
    const { error } = (await (await ask("query", { query: wrong })).json()) as { error: string };
    expect(error).toContain('1:20: parse error: unknown function with name "rat"');
    await page.keyboard.press("ControlOrMeta+Enter");
    expect((await page.locator(".refused").innerText()).trim()).toBe(error);
    await mark.hover();
    expect(error).toContain(await page.locator(".cm-tooltip .cm-diagnosticText").innerText());
    // What is missing at the end is marked before it.
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.insertText("rate(up[5m]");
    await vi.waitFor(async () => expect(await mark.allTextContents()).toEqual(["]"]));
    await page.keyboard.press("End");
    await page.keyboard.type(")");
    await mark.waitFor({ state: "detached" });
    expectNoMisdeeds(page, { except: /status of 400/ });
  });

  it("shows the numbers of the JSON API for the same range, in the table and in the chart", async () => {
    const to = Math.floor(Date.now() / 60_000) * 60_000;
    const from = to - 3_600_000;
    const listed = await fetch(new URL(`/metrics?from=${from}&to=${to}&limit=100`, site.url));
    const { functions } = (await listed.json()) as { functions: { function: string; calls: number }[] };
    expect(functions.length).toBeGreaterThan(10);

    const query = "sum by (function) (increase(function_calls_total[1h]))";
    const page = await site.open(addressOf(query, `&from=${from}&to=${to}`));
    await page.locator(".values tbody tr").first().waitFor();
    const expected = functions.map((one): [string, string] => [
      `{function="${one.function}"}`,
      String(one.calls),
    ]);
    const shown = await rows(page);
    expect(shown).toHaveLength(expected.length);
    expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(expected));

    // A single series, so that its column is known.
    await page.goto(
      new URL(
        addressOf(query.replace("total", 'total{function="refund"}'), `&from=${from}&to=${to}`),
        site.url,
      ).href,
    );
    await page.getByText("Show as table").click();
    const last = await page.locator(".as-table tbody tr").last().locator("td").innerText();
    expect(last).toBe(String(functions.find((one) => one.function === "refund")!.calls));
    expectNoMisdeeds(page);
  });

  it("keeps the query in the address, and follows the browser's Back and Forward buttons", async () => {
    const page = await site.open("/?page=explore");
    await page.getByRole("heading", { name: "Queries to begin with" }).waitFor();
    await editor(page).click();
    await page.keyboard.insertText(RATE);
    await page.keyboard.press("ControlOrMeta+Enter");
    await page.locator(".chart .uplot").waitFor();
    expect(new URL(page.url()).searchParams.get("query")).toBe(RATE);
    expect(await page.locator(".values tbody tr").count()).toBe(14);
    await page
      .getByText("The chart shows the 12 series with the greatest values. The table has 2 more.")
      .waitFor();

    await editor(page).click();
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.insertText("vector(7)");
    await page.getByRole("button", { name: "Run" }).click();
    await vi.waitFor(async () => expect(await rows(page)).toEqual([["{}", "7"]]));
    await page.goBack();
    await vi.waitFor(async () => expect(await rows(page)).toHaveLength(14));
    expect(await textOf(page)).toBe(RATE);
    await page.goForward();
    await vi.waitFor(async () => expect(await rows(page)).toEqual([["{}", "7"]]));
    expect(await textOf(page)).toBe("vector(7)");

    await page.getByRole("link", { name: "Functions" }).click();
    await page.locator("table.functions").waitFor();
    await page.getByRole("link", { name: "Explore", exact: true }).click();
    await vi.waitFor(async () => expect(await rows(page)).toEqual([["{}", "7"]]));
    await page.reload();
    await vi.waitFor(async () => expect(await rows(page)).toEqual([["{}", "7"]]));
    await page.locator(".cm-line").waitFor();
    expect(await textOf(page)).toBe("vector(7)");
    expectNoMisdeeds(page);
  });

  it("works with the keyboard alone", async () => {
    const page = await site.open("/?page=explore");
    await page.locator(".cm-editor").waitFor();
    await page.getByRole("button", { name: "Zoom out" }).focus();
    await page.keyboard.press("Tab");
    await page.keyboard.type("vector(");
    await page.keyboard.press("Shift+Enter");
    await page.keyboard.type("3");
    expect(await textOf(page)).toBe("vector(\n3)");
    await page.keyboard.press("Enter");
    await vi.waitFor(async () => expect(await rows(page)).toEqual([["{}", "3"]]));
    // Tab leaves the field.
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Run");
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.type("function_calls_to");
    await offered(page, "function_calls_total");
    // The list offers, and Ctrl+Enter runs what is written.
    await page.keyboard.press("Escape");
    await page.locator(".cm-tooltip-autocomplete").waitFor({ state: "detached" });
    await page.keyboard.press("ControlOrMeta+Enter");
    await page.getByText("No series match at this time.").waitFor();
    const chart = page.getByText("The query has no values in this range.");
    await chart.waitFor();
    expectNoMisdeeds(page);
  });

  it("has no serious accessibility problems, also while the list of completions is open", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await site.open(addressOf(RATE), { colorScheme });
      await page.locator(".chart .uplot").waitFor();
      await page.locator(".cm-editor").waitFor();
      expect(await seriousProblems(page)).toEqual([]);
      await editor(page).click();
      await page.keyboard.press("ControlOrMeta+A");
      await page.keyboard.type("function_c");
      await offered(page, "function_calls_total");
      expect(await seriousProblems(page)).toEqual([]);
      await page.setViewportSize({ width: 390, height: 844 });
      await page.keyboard.press("Escape");
      expect(await seriousProblems(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
      expectNoMisdeeds(page);
    }
  });

  it("loads the editor on this page only, and does without it", async () => {
    const scripts: string[] = [];
    const page = await site.open("/", {
      prepare: async (page) => {
        page.on("request", (request) => {
          if (request.url().endsWith(".js")) scripts.push(new URL(request.url()).pathname.replace(/-.*/, ""));
        });
        await page.route("**/assets/editor-*.js", (route) => route.abort());
      },
    });
    await page.locator("table.functions").waitFor();
    expect(scripts).not.toContain("/assets/editor");
    await page.getByRole("link", { name: "Explore", exact: true }).click();
    await page.getByText("The editor could not be loaded, so there is no completion.").waitFor();
    expect(scripts.filter((script) => script === "/assets/editor")).toHaveLength(1);
    await page.getByRole("textbox", { name: "PromQL query" }).fill("vector(5)");
    await page.keyboard.press("Enter");
    await vi.waitFor(async () => expect(await rows(page)).toEqual([["{}", "5"]]));
    expectNoMisdeeds(page, { except: /ERR_FAILED/ });
  });

  it("is linked from a function's page, with a query for this function", async () => {
    const page = await site.open("/?service=payments&module=card&function=chargeCard");
    await page.getByRole("link", { name: "Explore this in PromQL" }).click();
    await vi.waitFor(async () => expect(await rows(page)).toHaveLength(2));
    await page.locator(".cm-line").waitFor();
    expect(await textOf(page)).toBe(
      'sum by (result) (rate(function_calls_total{function="chargeCard", module="card", service_name="payments"}[5m]))',
    );
    expect((await rows(page)).map(([name]) => name).sort()).toEqual(['{result="error"}', '{result="ok"}']);
    await page.goBack();
    await page.getByRole("heading", { level: 1, name: "chargeCard" }).waitFor();
    expectNoMisdeeds(page);
  });

  it("says in the server's words what it refuses", async () => {
    const page = await site.open(addressOf("up", "&range=12000d"));
    await page
      .getByText("There is no chart: exceeded maximum resolution of 11,000 points per timeseries.")
      .waitFor();
    expect(await rows(page)).toHaveLength(1);
    const error = "query processing would load too many samples into memory in query execution";
    await page.route("**/api/v1/query*", (route) =>
      route.fulfill({ status: 422, json: { status: "error", errorType: "execution", error } }),
    );
    await page.getByRole("button", { name: "1 h", exact: true }).click();
    await page.getByRole("alert").getByText(error).waitFor();
    expect(await page.locator(".values").count()).toBe(0);
    expect(await page.getByRole("button", { name: "Live" }).count()).toBe(1);
    expectNoMisdeeds(page, { except: /status of 4(00|22)/ });
  });

  it("asks once while it is paused, and again with every run", async () => {
    const page = await site.open(addressOf("vector(1)"));
    await vi.waitFor(async () => expect(await rows(page)).toHaveLength(1));
    await page.getByRole("button", { name: "Live" }).click();
    await page.getByRole("button", { name: "Paused" }).waitFor();
    await page.clock.install();
    await page.reload();
    await vi.waitFor(async () => expect(await rows(page)).toHaveLength(1));
    let asked = 0;
    page.on("request", (request) => (asked += Number(request.url().includes("/api/v1/query"))));
    await page.clock.runFor(600_000);
    expect(asked).toBe(0);
    await page.getByRole("button", { name: "Run" }).click();
    await vi.waitFor(() => expect(asked).toBe(2));
    expectNoMisdeeds(page);
  });

  it("copies its requests as curl commands", async () => {
    const query = `label_replace(up, "who", "it's", "", "")`;
    const page = await site.open(addressOf(query));
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await vi.waitFor(async () => expect(await rows(page)).toHaveLength(1));
    await page.locator(".values").getByRole("button", { name: "Copy as curl" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
      String.raw`curl '${site.url}/api/v1/query' \
  --data-urlencode 'query=label_replace(up, "who", "it'\''s", "", "")' \
  --data-urlencode 'limit=1000'`,
    );
    expectNoMisdeeds(page);
  });

  const ask = (route: string, parameters: Record<string, string>) =>
    fetch(new URL(`/api/v1/${route}`, site.url), { method: "POST", body: new URLSearchParams(parameters) });
});

const addressOf = (query: string, more = "") => `/?page=explore&query=${encodeURIComponent(query)}${more}`;

const editor = (page: Page) =>
  page.getByRole("textbox", { name: "PromQL query" }).and(page.locator(".cm-content"));

async function textOf(page: Page): Promise<string> {
  return (await page.locator(".cm-line").allTextContents()).join("\n");
}

const options = (page: Page) =>
  page.locator(".cm-tooltip-autocomplete .cm-completionLabel").allTextContents();

/** Waits until the list of completions offers this name. */
async function offered(page: Page, name: string): Promise<void> {
  await page.locator(".cm-completionLabel").getByText(name, { exact: true }).waitFor();
}

/** Accepts the first completion, which must be this one. */
async function accept(page: Page, name: string): Promise<void> {
  const first = page.locator(".cm-tooltip-autocomplete li[aria-selected] .cm-completionLabel");
  await first.getByText(name, { exact: true }).waitFor();
  // CodeMirror ignores keys in the first 75 ms, so that no list that opens just now takes them.
  await page.waitForTimeout(100);
  await page.keyboard.press("Enter");
  await first.waitFor({ state: "detached" });
}

/** The names and the values of the table, read at one moment. */
async function rows(page: Page): Promise<[string, string][]> {
  return page
    .locator(".values tbody tr")
    .evaluateAll((all) =>
      all.map((row) => [row.children[0]?.textContent ?? "", row.children[1]?.textContent ?? ""]),
    );
}
