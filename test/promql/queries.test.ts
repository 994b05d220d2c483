import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { query } from "../../src/promql/engine.ts";
import { makeLabels } from "../../src/promql/labels.ts";
import { MemorySource } from "../../src/promql/memory-source.ts";
import { parse } from "../../src/promql/parser.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

/** What Grafana puts in place of its variables. */
const fill = (text: string): string =>
  text
    .replaceAll(/\$__(rate_interval|interval)/g, "1m")
    .replaceAll("$__range", "6h")
    .replaceAll("$num_function_limit", "10")
    .replaceAll(/\$\{?\w+\}?/g, "a|b");

/** Template functions of Grafana are no PromQL. What `query_result` contains is. */
const AUTOMETRICS = read("autometrics/queries.txt")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#") && !line.startsWith("label_values("))
  .map((line) => fill(line.replace(/^query_result\((.*)\)$/, "$1")));

const VARIANTS: Record<string, string> = {
  range: "5m",
  offset: "10m",
  simpleAggrOp: "sum",
  simpleTimeAggrOp: "avg",
  topBottomOp: "topk",
  quantile: "0.9",
  arithBinOp: "+",
  compBinOp: "<",
  binOp: "+",
  simpleMathFunc: "abs",
  extrapolatedRateFunc: "rate",
  clampFunc: "clamp_min",
  instantRateFunc: "irate",
  dateFunc: "hour",
  smoothingFactor: "0.5",
  trendFactor: "0.5",
};

interface Entry {
  text: string;
  mustFail: boolean;
}

/** The list of prometheus/compliance, one value for each variable. */
const COMPLIANCE: Entry[] = read("promqltest/compliance/promql-test-queries.yml")
  .split(/^\s*(?:- )?query: /m)
  .slice(1)
  .map((block) => {
    const line = block.split("\n")[0]!.trim();
    const quoted = /^(["'])(.*)\1$/.exec(line)?.[2] ?? line;
    const text = quoted
      .replaceAll("''", "'")
      .replaceAll(/\{\{\s*\.(\w+)\s*\}\}/g, (_all, name) => VARIANTS[name]!);
    return {
      text: line.startsWith('"') ? text.replaceAll(String.raw`\"`, '"') : text,
      mustFail: /should_fail: true/.test(block),
    };
  });

describe("the queries of Autometrics' dashboards and rules", () => {
  it("are all there", () => expect(AUTOMETRICS.length).toBeGreaterThan(25));

  it.each(AUTOMETRICS)("parse: %s", (text) => {
    expect(parse(text).kind).toMatch(/aggregation|binary|call|parentheses/);
  });
});

describe("the queries of prometheus/compliance", () => {
  const source = new MemorySource();
  for (let at = 0; at < 20; at++) {
    for (const instance of ["a", "b"]) {
      const labels = { job: "demo", instance };
      source.append(makeLabels({ __name__: "demo_memory_usage_bytes", ...labels }), at * 15_000, at);
      source.append(makeLabels({ __name__: "demo_num_cpus", ...labels }), at * 15_000, 4);
    }
  }

  it("are all there", () => expect(COMPLIANCE.length).toBe(118));

  // Of Prometheus 2: `holt_winters` has another name now, and label names may be any text.
  it.each(COMPLIANCE.filter(({ text }) => !/holt_winters|~invalid/.test(text)))(
    "run or fail as expected: $text",
    async ({ text, mustFail }) => {
      const outcome = query(text, 300_000, source).then(
        () => "answered",
        (error: Error) => error.name,
      );
      expect(await outcome).toMatch(mustFail ? /Error$/ : "answered");
    },
  );
});
