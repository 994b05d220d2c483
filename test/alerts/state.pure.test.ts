import { describe, expect, it } from "vitest";
import { type AlertState, type Condition, nextState, type Timing } from "../../src/alerts/state.ts";

/**
 * The changes of an alert, minute by minute. `+` is true, `-` is false, `?` is unknown. Each change is written as its minute
 * and its name.
 */
function changes(series: string, timing: Partial<Timing> = {}): string[] {
  const conditions: Record<string, Condition> = { "+": "true", "-": "false", "?": "unknown" };
  let state: AlertState | undefined;
  return series.split("").flatMap((sign, minute) => {
    const result = nextState(state, conditions[sign]!, minute * 60, { for: 0, keepFiringFor: 0, ...timing });
    state = result.state;
    return result.change === undefined ? [] : [`${minute} ${result.change}`];
  });
}

describe("an alert without `for`", () => {
  it("fires at once and ends at once", () => {
    expect(changes("--+++-")).toEqual(["2 fired", "5 resolved"]);
  });
});

describe("an alert with `for: 2m`", () => {
  it("fires at the third evaluation", () => {
    expect(changes("-++++-", { for: 120 })).toEqual(["1 pending", "3 fired", "5 resolved"]);
  });

  it("starts over if the condition is false once", () => {
    expect(changes("++-+++", { for: 120 })).toEqual(["0 pending", "2 dropped", "3 pending", "5 fired"]);
  });
});

describe("an alert with `keepFiringFor: 2m`", () => {
  it("that is false from minute 6 on ends at minute 8, as in Prometheus", () => {
    expect(changes("++++++---", { keepFiringFor: 120 })).toEqual(["0 fired", "6 recovering", "8 resolved"]);
  });

  it("keeps firing if the condition is true again, and waits the whole time anew", () => {
    expect(changes("+--+---", { keepFiringFor: 180 })).toEqual([
      "0 fired",
      "1 recovering",
      "3 relapsed",
      "4 recovering",
    ]);
  });
});

describe("an unknown condition", () => {
  it("neither fires nor ends an alert", () => {
    expect(changes("+????????????-")).toEqual(["0 fired", "1 unknown", "13 resolved"]);
    expect(changes("????")).toEqual([]);
  });

  it("that is short does not begin `for` anew", () => {
    expect(changes("+??+", { for: 180 })).toEqual(["0 pending", "1 unknown", "3 fired"]);
  });

  it("that is longer than ten minutes begins `for` anew", () => {
    expect(changes("+????????????+---", { for: 180 })).toEqual([
      "0 pending",
      "1 unknown",
      "13 known",
      "14 dropped",
    ]);
  });

  it("is over when the condition is true again", () => {
    expect(changes("+?+")).toEqual(["0 fired", "1 unknown", "2 known"]);
  });
});
