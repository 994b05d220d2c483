import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { makeTable, runAll } from "./conformance.ts";
import exceptions from "./exceptions.json" with { type: "json" };

const outcomes = await runAll();
const listed: Record<string, Record<string, number[]>> = exceptions;

/** What did not pass, by file and reason, in the form of exceptions.json. */
function collect(isExpected: (status: string) => boolean): Record<string, number[]> {
  const lines: Record<string, number[]> = {};
  for (const { file, line, status } of outcomes) if (isExpected(status)) (lines[file] ??= []).push(line);
  return lines;
}

describe("Prometheus' own tests", () => {
  it("are all there, unchanged in number", () => {
    expect(outcomes.length).toBe(1732);
  });

  it("pass, all that are stable and without native histograms", () => {
    const failed = outcomes.filter(({ status, hasNative }) => status === "failed" && !hasNative);
    expect(failed).toEqual([]);
  });

  it("pass with native histograms, at least 98 of 100 that are stable", () => {
    const native = outcomes.filter(({ status, hasNative }) => status !== "experimental" && hasNative);
    const passed = native.filter(({ status }) => status === "passed");
    expect(passed.length / native.length).toBeGreaterThan(0.98);
  });

  it("pass or stand in exceptions.json, and none stands there that passes", () => {
    const expected = Object.entries(listed).map(([file, reasons]) => [
      file,
      Object.values(reasons)
        .flat()
        .sort((a, b) => a - b),
    ]);
    expect(collect((status) => status !== "passed")).toEqual(Object.fromEntries(expected));
  });

  it("are refused as experimental for the reason that stands in exceptions.json", () => {
    const refused = outcomes.filter(({ status }) => status === "experimental");
    const unlisted = refused.filter(
      ({ file, line, reason }) => !listed[file]?.[`experimental: ${reason}`]?.includes(line),
    );
    expect(unlisted).toEqual([]);
  });

  it("are counted in docs/promql.md as the command counts them", () => {
    const document = readFileSync(new URL("../../docs/promql.md", import.meta.url), "utf8");
    expect(document).toContain(makeTable(outcomes));
  });
});
