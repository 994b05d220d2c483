import { describe, expect, it } from "vitest";
import { judgeChange } from "../../src/alerts/judge/change.ts";
import { judgeFailing } from "../../src/alerts/judge/failing.ts";
import { judgeObjective } from "../../src/alerts/judge/objective.ts";
import { judgeQuiet, mergeCells } from "../../src/alerts/judge/silence.ts";
import { judgeThreshold } from "../../src/alerts/judge/threshold.ts";
import { Rule, type RuleOf } from "../../src/alerts/rule.ts";
import { type AlertState, nextState } from "../../src/alerts/state.ts";
import { budgetAt } from "../../src/stats/burn.ts";
import { slowerThan } from "../../src/stats/call-cells.ts";
import { bucketIndex } from "../../src/stats/histogram.ts";
import { cellsOf, NOON, pastHours, times } from "./cells.ts";

function threshold(fields: object): RuleOf<"threshold"> {
  return Rule.parse({ kind: "threshold", ...fields }) as RuleOf<"threshold">;
}

function objective(fields: object): RuleOf<"objective"> {
  return Rule.parse({ kind: "objective", ...fields }) as RuleOf<"objective">;
}

const isNever = () => false;

describe("a threshold on the error rate", () => {
  const rule = threshold({ figure: "errorRate", above: 0.05 });

  it("is true above the limit, and says the figure", () => {
    const judged = judgeThreshold(rule, cellsOf(times(5, { calls: 60, errors: 6 })), NOON, false);
    expect(judged.condition).toBe("true");
    expect(judged.sentence).toBe("10 % of calls failed in the last 5 minutes (30 of 300); the limit is 5 %.");
  });

  it("is false at the limit", () => {
    expect(judgeThreshold(rule, cellsOf(times(5, { calls: 60, errors: 3 })), NOON, false).condition).toBe(
      "false",
    );
  });

  it("judges nothing outside of its window", () => {
    const cells = cellsOf([...times(5, { calls: 60, errors: 60 }), ...times(5, { calls: 60 })]);
    expect(judgeThreshold(rule, cells, NOON, false)).toMatchObject({ condition: "false", value: 0 });
  });

  it("is unknown with too few calls, and never zero", () => {
    expect(judgeThreshold(rule, cellsOf(times(5, { calls: 3, errors: 3 })), NOON, false)).toMatchObject({
      condition: "unknown",
      sentence: "15 calls in the last 5 minutes, and the rule needs 20.",
    });
    expect(judgeThreshold(rule, cellsOf([{}, ...times(5, undefined)]), NOON, true).condition).toBe("unknown");
  });

  it("that swings around the limit fires once", () => {
    // 4.8 and 5.2 % by turns, each for five minutes.
    const minutes = Array.from({ length: 120 }, (_, i) => ({ calls: 1000, errors: i % 10 < 5 ? 48 : 52 }));
    let state: AlertState | undefined;
    const changes: string[] = [];
    for (let i = 5; i <= minutes.length; i++) {
      const now = NOON - (minutes.length - i) * 60;
      const { condition } = judgeThreshold(rule, cellsOf(minutes), now, state !== undefined);
      const next = nextState(state, condition, now, { for: 0, keepFiringFor: 0 });
      state = next.state;
      if (next.change) changes.push(next.change);
    }
    expect(changes).toEqual(["fired"]);
  });
});

describe("a threshold on calls", () => {
  it("counts a window without calls as 0", () => {
    const rule = threshold({ figure: "calls", below: 10, window: "5m" });
    const judged = judgeThreshold(rule, cellsOf([{}, ...times(6, undefined)]), NOON, false);
    expect(judged).toMatchObject({ condition: "true", value: 0 });
    expect(judged.sentence).toBe("0 calls in the last 5 minutes; at least 10 is expected.");
  });
});

describe("a threshold on durations", () => {
  it("judges the average of measured calls", () => {
    const rule = threshold({ figure: "averageMs", above: 250 });
    expect(judgeThreshold(rule, cellsOf(times(5, { ms: 300 })), NOON, false)).toMatchObject({
      condition: "true",
      value: 300,
    });
  });

  it.each([
    [5, "false"],
    [6, "true"],
  ])("p99 above 300 ms with %s slow calls of 500 is %s", (slow, condition) => {
    const rule = threshold({ figure: "p99Ms", above: 300 });
    const cells = cellsOf([{ calls: 500, slow: { 300: slow } }]);
    expect(judgeThreshold(rule, cells, NOON, false).condition).toBe(condition);
  });

  it("p50 below 10 ms is true if at least half of the calls took no longer", () => {
    const rule = threshold({ figure: "p50Ms", below: 10 });
    expect(judgeThreshold(rule, cellsOf([{ calls: 100, slow: { 10: 50 } }]), NOON, false).condition).toBe(
      "true",
    );
    expect(judgeThreshold(rule, cellsOf([{ calls: 100, slow: { 10: 51 } }]), NOON, false).condition).toBe(
      "false",
    );
  });

  it("counts slow calls from a histogram, exact to 1.1 %", () => {
    const buckets = [295, 299, 303, 310].flatMap((ms) => [bucketIndex(ms), 1]);
    expect(slowerThan(290, buckets, 310)).toBe(4);
    expect(slowerThan(307, buckets, 310)).toBe(1);
    // 300 ms lies within the bucket from 295.4 to 301.9.
    expect(slowerThan(300, [bucketIndex(300), 7], 300)).toBe(0);
  });
});

describe("an objective", () => {
  it("pages if 14.4 times the allowed share fails over an hour and over five minutes", () => {
    const rule = objective({ success: 99 });
    const judged = judgeObjective(rule, cellsOf(times(60, { calls: 60, errors: 9 })), NOON, isNever);
    expect(judged).toMatchObject([
      { part: "page", condition: "true", severity: "page" },
      { part: "ticket", condition: "unknown" },
    ]);
    expect(judged[0]!.sentence).toBe(
      "The budget burns 15 times too fast over 1 hour: 15 % of calls failed, and 1 % may.",
    );
  });

  it("does not page if the last five minutes are good", () => {
    const cells = cellsOf([...times(55, { calls: 60, errors: 12 }), ...times(5, { calls: 60 })]);
    expect(
      judgeObjective(
        objective({ success: 99, windows: [{ long: "1h", short: "5m", factor: 14.4, severity: "page" }] }),
        cells,
        NOON,
        isNever,
      ),
    ).toMatchObject([{ condition: "false" }]);
  });

  it("asks for a ticket if it burns slowly for days", () => {
    const cells = cellsOf(times(48 * 60, { calls: 600, errors: 8 }), {
      hours: pastHours(20, { calls: 36_000, errors: 480 }),
    });
    expect(judgeObjective(objective({ success: 99 }), cells, NOON, isNever)).toMatchObject([
      { part: "page", condition: "false" },
      { part: "ticket", condition: "true", severity: "ticket" },
    ]);
  });

  it("judges a latency that is no bound of a histogram", () => {
    const rule = objective({ latency: [300, 99] });
    const cells = cellsOf(times(60, { calls: 60, slow: { 300: 10 } }));
    expect(judgeObjective(rule, cells, NOON, isNever)[0]).toMatchObject({
      condition: "true",
      sentence:
        "The budget burns 16.7 times too fast over 1 hour: 17 % of calls took longer than 300 ms, and 1 % may.",
    });
  });

  it("needs a few errors, so that one failed call of a rare function does not page", () => {
    const cells = cellsOf([...times(59, undefined), { calls: 2, errors: 2 }]);
    expect(judgeObjective(objective({ success: 99.9 }), cells, NOON, isNever)[0]!.condition).toBe("false");
  });

  it("is unknown without calls", () => {
    const judged = judgeObjective(objective({ success: 99 }), cellsOf([]), NOON, isNever);
    expect(judged.map(({ condition }) => condition)).toEqual(["unknown", "unknown"]);
  });

  it("knows what is left of the budget of 28 days", () => {
    const cells = cellsOf(times(60, { calls: 100, errors: 0 }), {
      hours: pastHours(26, { calls: 1000, errors: 5 }),
    });
    const { left, bad, all } = budgetAt(cells, { target: 0.99 }, NOON);
    expect([bad, all]).toEqual([3120, 630_000]);
    expect(left).toBeCloseTo(1 - 3120 / 6300, 10);
  });

  it("asks for a ticket if little of the budget is left", () => {
    const rule = objective({
      success: 99,
      budgetBelow: 0.2,
      windows: [{ long: "1h", short: "5m", factor: 14.4, severity: "page" }],
    });
    const cells = cellsOf(times(60, {}), { hours: pastHours(26, { calls: 1000, errors: 9 }) });
    expect(judgeObjective(rule, cells, NOON, isNever)[1]).toMatchObject({
      part: "budget",
      condition: "true",
    });
  });
});

describe("silence", () => {
  const regular = cellsOf([...times(48 * 60 - 30, {}), ...times(30, undefined)], {
    hours: pastHours(7, { calls: 3600 }),
  });

  it("is true after a fixed time", () => {
    expect(judgeQuiet(regular, 25 * 60, 0, NOON).condition).toBe("true");
    expect(judgeQuiet(regular, 35 * 60, 0, NOON).condition).toBe("false");
  });

  it("is learned from the function's own pauses", () => {
    expect(judgeQuiet(regular, undefined, 0, NOON).condition).toBe("true");
    expect(judgeQuiet(regular, undefined, 0, NOON - 26 * 60).condition).toBe("false");
  });

  it("does not count the time during which the whole service was silent", () => {
    expect(judgeQuiet(regular, 25 * 60, NOON - 600, NOON).condition).toBe("false");
  });

  it("is unknown for a new function", () => {
    expect(
      judgeQuiet(cellsOf([...times(60, {}), ...times(30, undefined)]), undefined, 0, NOON).condition,
    ).toBe("unknown");
  });

  it("of a service is that of its functions together", () => {
    const merged = mergeCells([cellsOf([{}, undefined, {}]), cellsOf([undefined, { errors: 1 }, {}])]);
    expect(merged.minutes.map(({ calls, errors }) => [calls, errors])).toEqual([
      [60, 0],
      [60, 1],
      [120, 0],
    ]);
  });
});

describe("a change", () => {
  const rule = Rule.parse({ kind: "change", figure: "errorRate" }) as RuleOf<"change">;
  const hours = pastHours(12, { calls: 3600, errors: 36 });

  it("is true if the errors are far above those of the same hour of earlier days", () => {
    const cells = cellsOf([...times(48 * 60 - 15, { calls: 60 }), ...times(15, { calls: 60, errors: 6 })], {
      hours,
    });
    const judged = judgeChange(rule, cells, undefined, NOON);
    expect(judged.condition).toBe("true");
    expect(judged.sentence).toBe(
      "10 % of calls failed in the last 15 minutes; at this hour of earlier days it was 1 %.",
    );
  });

  it("is false if it is as on earlier days", () => {
    const cells = cellsOf(times(48 * 60, { calls: 100, errors: 1 }), { hours });
    expect(judgeChange(rule, cells, undefined, NOON).condition).toBe("false");
  });

  it("is unknown without earlier days, or with few calls", () => {
    expect(judgeChange(rule, cellsOf(times(60, { errors: 30 })), undefined, NOON).condition).toBe("unknown");
    expect(judgeChange(rule, cellsOf(times(60, { calls: 1 }), { hours }), undefined, NOON).condition).toBe(
      "unknown",
    );
  });
});

describe("failing", () => {
  const usual = times(48 * 60, { calls: 60 });
  const hours = pastHours(10, { calls: 3600 });

  it("is told at the end of the first minute in which nearly all calls fail", () => {
    const cells = cellsOf([...usual, { calls: 60, errors: 60 }], { hours });
    expect(judgeFailing(cells, NOON, false)).toMatchObject({
      condition: "true",
      isUrgent: true,
      sentence: "60 of the last 60 calls failed.",
    });
  });

  it("is true for a function without a past whose calls all fail", () => {
    expect(judgeFailing(cellsOf(times(2, { calls: 30, errors: 30 })), NOON, false)).toMatchObject({
      condition: "true",
      isUrgent: true,
    });
  });

  it("is true if more calls fail than usual, though most succeed", () => {
    const cells = cellsOf([...usual, ...times(6, { calls: 60, errors: 12 })], { hours });
    const judged = judgeFailing(cells, NOON, false);
    expect(judged.condition).toBe("true");
    expect(judged.isUrgent).toBeUndefined();
    expect(judged.sentence).toMatch(/% of calls fail, usually 0 %; since/);
  });

  it("is false for two bad minutes of a deployment, before anybody is told", () => {
    const blip = [...usual, ...times(2, { calls: 60, errors: 8 }), ...times(2, { calls: 60 })];
    expect(judgeFailing(cellsOf(blip, { hours }), NOON, false).condition).toBe("false");
    expect(judgeFailing(cellsOf(blip, { hours }), NOON, true).condition).toBe("true");
  });

  it("is false for a function most of whose calls always fail", () => {
    const cells = cellsOf(times(48 * 60, { calls: 60, errors: 50 }), {
      hours: pastHours(10, { errors: 3000 }),
    });
    expect(judgeFailing(cells, NOON, false).condition).toBe("false");
  });
});
