import { describe, expect, it } from "vitest";
import { canReplay, replay } from "../../src/alerts/replay.ts";
import { Rule } from "../../src/alerts/rule.ts";
import { cellsOf, NOON, pastHours, times } from "./cells.ts";

const WEEK = 7 * 86_400;
const threshold = Rule.parse({ kind: "threshold", figure: "errorRate", above: 0.2 });

/** When the rule would have fired and ended, in minutes before noon. */
function firings(rule: Rule, cells: ReturnType<typeof cellsOf>): [number, number | null][] {
  return replay(rule, cells, NOON - WEEK, NOON).map(({ firedAt, endedAt }) => [
    (NOON - firedAt) / 60,
    endedAt === null ? null : (NOON - endedAt) / 60,
  ]);
}

describe("a rule that is judged again", () => {
  const usual = { calls: 60 };

  it("fires where it would have fired", () => {
    const minutes = [...times(40 * 60, usual), ...times(10, { calls: 60, errors: 60 }), ...times(60, usual)];
    // After two bad minutes of five, 40 % fail. After four good ones, 20 %, and five minutes later it is over.
    expect(firings(threshold, cellsOf(minutes))).toEqual([[68, 50]]);
  });

  it("fires still if it is not over", () => {
    const minutes = [...times(40 * 60, usual), ...times(10, { calls: 60, errors: 60 })];
    expect(firings(threshold, cellsOf(minutes))).toEqual([[8, null]]);
  });

  it("judges older hours by their sums", () => {
    const hours = pastHours(5, { calls: 3600 }).map((hour, i) =>
      i === 60 ? { ...hour, errors: 1800 } : hour,
    );
    const rule = Rule.parse({ kind: "threshold", figure: "errorRate", above: 0.2, keepFiringFor: "0s" });
    const found = firings(rule, cellsOf(times(48 * 60, usual), { hours }));
    expect(found).toHaveLength(1);
    const start = (NOON - hours[60]!.start) / 60;
    expect(found[0]![0]).toBe(start - 3);
  });

  it("that is the default one fires as the real one does", () => {
    const rule = Rule.parse({ kind: "attention", judges: "failing", for: "2m", keepFiringFor: "5m" });
    const minutes = [...times(46 * 60, usual), ...times(30, { calls: 60, errors: 60 }), ...times(90, usual)];
    const found = firings(rule, cellsOf(minutes, { hours: pastHours(10, { calls: 3600 }) }));
    expect(found.map(([firedAt]) => firedAt)).toEqual([119]);
  });

  it("of silence fires when nothing was called", () => {
    const rule = Rule.parse({ kind: "silence", after: "15m", keepFiringFor: "0s" });
    const minutes = [...times(46 * 60, usual), ...times(30, undefined), ...times(90, usual)];
    expect(firings(rule, cellsOf(minutes))).toEqual([[104, 89]]);
  });

  it("cannot be of durations by quarters of an hour", () => {
    expect(canReplay(Rule.parse({ kind: "attention", judges: "slower" }))).toBe(false);
    expect(canReplay(threshold)).toBe(true);
  });
});
