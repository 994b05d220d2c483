import { describe, expect, it } from "vitest";
import { type InstantResult, query, queryRange } from "../../src/promql/engine.ts";
import { type Labels, makeLabels } from "../../src/promql/labels.ts";
import { MemorySource } from "../../src/promql/memory-source.ts";
import type { Hints, Source } from "../../src/promql/source.ts";

const MINUTE = 60_000;

/** Series of one value a minute, from time 0 on. */
function sourceOf(series: Record<string, number[]>): MemorySource {
  const source = new MemorySource();
  for (const [job, values] of Object.entries(series)) {
    const labels = makeLabels({ __name__: "calls_total", job });
    for (const [index, value] of values.entries()) source.append(labels, index * MINUTE, value);
  }
  return source;
}

const plain = (labels: Labels): Record<string, string> => Object.fromEntries(labels);

const samplesOf = (result: InstantResult): unknown =>
  result.type === "vector" ? result.samples.map(({ labels, value }) => [plain(labels), value]) : result.type;

describe("query", () => {
  const source = sourceOf({ a: [0, 60, 120, 180, 240, 300], b: [0, 1, 2, 3, 4, 5] });

  it("answers with a scalar, a string, a vector or a matrix", async () => {
    expect(await query("1 + 1", 4000, source)).toEqual({
      type: "scalar",
      timeMs: 4000,
      value: 2,
      warnings: [],
      infos: [],
    });
    expect(await query("'text'", 4000, source)).toMatchObject({ type: "string", value: "text" });
    expect(samplesOf(await query("calls_total", 5 * MINUTE, source))).toEqual([
      [{ __name__: "calls_total", job: "a" }, 300],
      [{ __name__: "calls_total", job: "b" }, 5],
    ]);
    const matrix = await query('calls_total{job="b"}[2m]', 5 * MINUTE, source);
    expect(matrix).toMatchObject({
      type: "matrix",
      series: [{ times: [4 * MINUTE, 5 * MINUTE], values: [4, 5] }],
    });
  });

  it("extrapolates rates as Prometheus does, with windows open at their older end", async () => {
    expect(samplesOf(await query('rate(calls_total{job="a"}[5m])', 5 * MINUTE, source))).toEqual([
      [{ job: "a" }, 1],
    ]);
    expect(samplesOf(await query("rate(calls_total[1m])", 5 * MINUTE, source))).toEqual([]);
  });

  it("notes what may be wrong, with its place", async () => {
    const result = await query("quantile(2, calls_total)", MINUTE, source);
    expect(result.warnings).toEqual([
      "PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)",
    ]);
    const gauge = new MemorySource();
    for (const at of [0, 1, 2]) gauge.append(makeLabels({ __name__: "temperature" }), at * MINUTE, at);
    expect((await query("sum(\n rate(temperature[3m]))", 2 * MINUTE, gauge)).infos).toEqual([
      'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "temperature" (2:7)',
    ]);
  });

  it("fails where series cannot be matched, and names them", async () => {
    await expect(query("calls_total * on() calls_total", MINUTE, source)).rejects.toMatchObject({
      kind: "execution",
      message:
        "found duplicate series for the match group {} on the right hand-side of the operation: " +
        '[{__name__="calls_total", job="a"}, {__name__="calls_total", job="b"}];' +
        "many-to-many matching not allowed: matching labels must be unique on one side",
    });
  });

  it("passes on what the source throws", async () => {
    const broken: Source = { select: () => Promise.reject(new Error("The database is gone.")) };
    await expect(query("up", 0, broken)).rejects.toThrow("The database is gone.");
  });
});

describe("queryRange", () => {
  const source = sourceOf({ b: [0, 1, 2, 3, 4, 5], a: [5, 4, 3, 2, 1, 0] });

  it("answers at every step, the end included, sorted by labels", async () => {
    const { series } = await queryRange("calls_total > 1", 0, 5 * MINUTE, MINUTE, source);
    expect(
      series.map(({ labels, times, values }) => [plain(labels).job, times.map((at) => at / MINUTE), values]),
    ).toEqual([
      ["a", [0, 1, 2, 3], [5, 4, 3, 2]],
      ["b", [2, 3, 4, 5], [2, 3, 4, 5]],
    ]);
  });

  it("makes one series of a scalar", async () => {
    const { series } = await queryRange("time()", 0, 2000, 1000, source);
    expect(series).toMatchObject([{ times: [0, 1000, 2000], values: [0, 1, 2] }]);
  });

  it.each([
    ["calls_total", 0, 1000, 0, /zero or negative query resolution/],
    ["calls_total", 1000, 0, 1, /end timestamp must not be before start time/],
    ["calls_total", 0, 11_001_000, 1000, /exceeded maximum resolution of 11,000 points per timeseries/],
    ["calls_total[5m]", 0, 1000, 1000, /invalid expression type "range vector" for range query/],
    ["'a'", 0, 1000, 1000, /invalid expression type "string" for range query/],
  ])("refuses %s from %d to %d by %d", async (text, start, end, step, message) => {
    await expect(queryRange(text, start, end, step, source)).rejects.toMatchObject({
      kind: "bad_data",
      message: expect.stringMatching(message),
    });
  });
});

describe("the source", () => {
  interface Asked {
    fromMs: number;
    toMs: number;
    hints: Hints;
  }

  async function ask(text: string, start = 600_000, end = 1_200_000): Promise<Asked[]> {
    const asked: Asked[] = [];
    const source: Source = {
      select(_matchers, fromMs, toMs, hints) {
        asked.push({ fromMs, toMs, hints });
        return Promise.resolve([]);
      },
    };
    await queryRange(text, start, end, 60_000, source);
    return asked;
  }

  it("is asked once for the whole range: with look-back, range, offset and subquery", async () => {
    expect(await ask("up")).toMatchObject([{ fromMs: 300_000, toMs: 1_200_000 }]);
    expect(await ask("rate(up[1m])")).toMatchObject([{ fromMs: 540_000, toMs: 1_200_000 }]);
    expect(await ask("rate(up[1m] offset 2m)")).toMatchObject([{ fromMs: 420_000, toMs: 1_080_000 }]);
    expect(await ask("max_over_time(rate(up[1m])[5m:])")).toMatchObject([
      { fromMs: 240_000, toMs: 1_200_000 },
    ]);
    expect(await ask("up @ 60 offset 1m")).toMatchObject([{ fromMs: -300_000, toMs: 0 }]);
    expect(await ask("up @ end()")).toMatchObject([{ fromMs: 900_000, toMs: 1_200_000 }]);
  });

  it("is told the function, its range and the aggregation around them", async () => {
    const [asked] = await ask("sum by (job) ((rate(up[5m])))");
    expect(asked!.hints).toMatchObject({
      stepMs: 60_000,
      function: "rate",
      rangeMs: 300_000,
      aggregation: { operator: "sum", labels: ["job"], without: false },
    });
    const [other] = await ask("sum by (job) (abs(rate(up[5m])) * 2)");
    expect(other!.hints).toMatchObject({ function: "rate", aggregation: undefined });
    const [parameter, inner] = await ask("quantile by (job) (scalar(limit), up)");
    expect(parameter!.hints).toMatchObject({ function: "scalar", aggregation: undefined });
    expect(inner!.hints).toMatchObject({ function: "", aggregation: { operator: "quantile" } });
  });

  it("is asked once for equal selectors in equal places", async () => {
    expect(await ask("sum(rate(up[5m])) / sum(rate(up[5m]))")).toHaveLength(1);
    expect(await ask("sum(rate(up[5m])) / count(rate(up[5m]))")).toHaveLength(2);
    expect(await ask('rate(up{a="1"}[5m]) / rate(up{a="2"}[5m])')).toHaveLength(2);
  });

  it("may sum integral series itself, with the same result", async () => {
    const integral = (perMs: number) => ({
      fromMs: 0,
      valueAt: (timeMs: number) => Math.max(0, timeMs) * perMs,
    });
    const series = (labels: Record<string, string>, perMs: number) => ({
      labels: makeLabels({ __name__: "calls_total", ...labels }),
      times: [],
      values: [],
      integral: integral(perMs),
    });
    const each = [
      series({ job: "a", i: "1" }, 1),
      series({ job: "a", i: "2" }, 2),
      series({ job: "b", i: "1" }, 4),
    ];
    const summed = [series({ job: "a" }, 3), series({ job: "b" }, 4)];
    const text = "sum by (job) (rate(calls_total[5m]))";
    const answers = await Promise.all(
      [each, summed].map((series) => query(text, 600_000, { select: () => Promise.resolve(series) })),
    );
    expect(samplesOf(answers[0]!)).toEqual([
      [{ job: "a" }, 3000],
      [{ job: "b" }, 4000],
    ]);
    expect(samplesOf(answers[1]!)).toEqual(samplesOf(answers[0]!));
  });
});
