import { describe, expect, it } from "vitest";
import { shortNumber } from "../../dashboard/explore/number.ts";
import { chartStep, questionsFor } from "../../dashboard/explore/questions.ts";
import { furthest, seriesName, sharedLabels } from "../../dashboard/explore/series.ts";
import { boundsOf } from "../../dashboard/range/bounds.ts";
import { fixed, last } from "../../dashboard/range/range.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = Date.UTC(2026, 10, 24, 9, 30, 20);

describe("the names of series", () => {
  it("are selectors, with labels in quotes", () => {
    expect(seriesName({ __name__: "up" })).toBe("up");
    expect(seriesName({ __name__: "up", job: 'a "b"', "odd name": "c" })).toBe(
      String.raw`up{job="a \"b\"", "odd name"="c"}`,
    );
    expect(seriesName({})).toBe("{}");
  });

  it("leave out what all have in common", () => {
    const all = [
      { __name__: "calls", job: "x", result: "ok" },
      { __name__: "calls", job: "x", result: "error" },
    ];
    expect(sharedLabels(all)).toEqual({ __name__: "calls", job: "x" });
    expect(all.map((labels) => seriesName(labels, sharedLabels(all)))).toEqual([
      '{result="ok"}',
      '{result="error"}',
    ]);
    expect(sharedLabels([all[0]!])).toEqual({});
  });
});

it("the chart takes the series that reach furthest from zero, in the order of the answer", () => {
  const all = ["1", "-9", "NaN", "5", "+Inf"].map((value) => ({
    metric: { value },
    values: [[0, value] as [number, string]],
  }));
  expect(furthest(all, 2).map(({ metric }) => metric.value)).toEqual(["-9", "5"]);
  expect(furthest(all, 5)).toBe(all);
});

describe("the questions of a range", () => {
  const questions = (range: ReturnType<typeof last>) => questionsFor("up", range, boundsOf(range, NOW), NOW);

  it("of a live range are the values of now, and of its full steps", () => {
    const { instant, range } = questions(last(HOUR));
    expect(instant).toEqual({ query: "up", limit: "1000" });
    const end = Date.UTC(2026, 10, 24, 9, 30) / 1000;
    expect(range).toEqual({
      query: "up",
      start: String(end - 59 * 60),
      end: String(end),
      step: "60",
      limit: "1000",
    });
  });

  it("of a fixed range end where it ends, whether or not the step divides it", () => {
    const [from, to] = [NOW - 7 * HOUR - 20_000, NOW - 20_000 - MINUTE];
    const { instant, range } = questions(fixed(from, to));
    expect(instant.time).toBe(String(to / 1000));
    expect([range.step, range.end]).toEqual(["120", String(to / 1000)]);
    expect(Number(range.start) - from / 1000).toBe(60);
  });

  it("have the steps of the other pages' charts", () => {
    const steps = [HOUR, 24 * HOUR, 7 * 24 * HOUR, 90 * 24 * HOUR].map(
      (ms) => chartStep(boundsOf(last(ms), NOW), NOW) / MINUTE,
    );
    expect(steps).toEqual([1, 5, 60, 720]);
  });
});

it("numbers in the chart have four digits and a power of a thousand", () => {
  const written = [0, 12.3456, -0.000123456, 1234.5, -2.5e9, 1e-9].map((value) =>
    shortNumber(value).replace("\u00a0", " "),
  );
  expect(written).toEqual(["0", "12.35", "−0.0001235", "1.234 k", "−2.5 G", "1e-9"]);
});
