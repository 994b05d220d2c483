import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { format, prettify } from "../../src/promql/format.ts";
import { parse } from "../../src/promql/parser.ts";

describe("a printed query", () => {
  it.each([
    ["sum   by(a,b)(rate(x{b='c',a!='d'}[300]))", 'sum by (a, b) (rate(x{a!="d",b="c"}[5m]))'],
    ["sum(x) without (a)", "sum without (a) (x)"],
    ["sum by () (x)", "sum(x)"],
    ["topk(5, x)", "topk(5, x)"],
    ["a/on(x)group_left(y)b", "a / on (x) group_left (y) b"],
    ["a >bool ignoring(x) b", "a > bool ignoring (x) b"],
    ["x @ 5 offset -1m", "x @ 5.000 offset -1m"],
    ["x[1h:] @ start()", "x[1h:] @ start()"],
    ["max_over_time(x[90m:30s] offset 1d)", "max_over_time(x[1h30m:30s] offset 1d)"],
    ['{"a.b",c="d"}', '{__name__="a.b",c="d"}'],
    ['sum by ("a.b") (x)', 'sum by ("a.b") (x)'],
    ["1e100", `1${"0".repeat(100)}`],
    ["-5m", "-5m"],
    ["-(a)", "-(a)"],
    [String.raw`label_replace(x, "a", "\xff", "", "")`, String.raw`label_replace(x, "a", "\xff", "", "")`],
  ])("of %s is %s", (text, expected) => {
    expect(format(parse(text))).toBe(expected);
  });

  it("parses to the same query, for all queries of Prometheus' tests", () => {
    const folder = new URL("promqltest/", import.meta.url);
    const files = [
      "functions",
      "aggregators",
      "at_modifier",
      "selectors",
      "native_histograms",
      "range_queries",
    ];
    const texts = files.flatMap((file) => {
      const lines = readFileSync(new URL(`${file}.test`, folder), "utf8").split("\n");
      return lines.flatMap((line) => /^eval instant at \S+ (.+)$/.exec(line.trim())?.[1] ?? []);
    });
    const parsed = texts.flatMap((text) => {
      try {
        return [parse(text)];
      } catch {
        return [];
      }
    });
    expect(parsed.length).toBeGreaterThan(900);
    for (const tree of parsed) expect(format(parse(format(tree)))).toBe(format(tree));
  });

  it("takes as many lines as it needs", () => {
    const text =
      'sum by (function) (rate(function_calls_total{result="error"}[5m])) / on (function) group_left (version) ' +
      "sum by (function) (rate(function_calls_total[5m]) * on (instance) group_left (version) build_info)";
    expect(prettify(parse(text))).toMatchInlineSnapshot(`
      "  sum by (function) (rate(function_calls_total{result="error"}[5m]))
      / on (function) group_left (version)
        sum by (function) (rate(function_calls_total[5m]) * on (instance) group_left (version) build_info)"
    `);
  });
});
