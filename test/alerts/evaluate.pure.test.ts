import { describe, expect, it } from "vitest";
import type { Alert } from "../../src/alerts/alert.ts";
import { evaluate, evaluateUnknown, type Judged } from "../../src/alerts/evaluate.ts";
import { DEFAULT_RULES, type NamedRule, Rule } from "../../src/alerts/rule.ts";
import { matchesPattern } from "../../src/alerts/selector.ts";
import { cellsOf, type Made, NOON, pastHours, times } from "./cells.ts";

function rule(id: string, fields: object): NamedRule {
  return { id, ...Rule.parse(fields) };
}

/** A function of the shop whose last minute ends at noon. */
function fn(name: string, minutes: readonly (Made | undefined)[], past: Made = {}): Judged {
  const cells = cellsOf(minutes, { hours: pastHours(7, past) });
  return { service: "shop", module: "", function: name, cells, knownSince: 0 };
}

/** Runs evaluations and returns their steps as texts. */
class Run {
  alerts: ReadonlyMap<string, Alert> = new Map();
  readonly resumed = new Map<string, number>();

  at(now: number, rules: NamedRule[], functions: Judged[]): string[] {
    const { steps, alerts } = evaluate({ rules, functions, alerts: this.alerts, resumed: this.resumed }, now);
    this.alerts = alerts;
    return steps.map(({ before, after, change }) => `${(after ?? before)!.function} ${change}`);
  }
}

describe("patterns", () => {
  it.each([
    ["*", "anything", true],
    ["shop", "shop", true],
    ["shop", "shop2", false],
    ["shop*", "shop2", true],
    ["*pay*", "Cart.payNow", true],
    ["a*b*c", "aXbYc", true],
    ["a*b*c", "acb", false],
    ["ab*ba", "aba", false],
    ["a\\*b", "a*b", true],
    ["a\\*b", "axb", false],
    ["\\d", "\\d", true],
  ])("%s and %s: %s", (pattern, text, expected) => {
    expect(matchesPattern(pattern, text)).toBe(expected);
  });

  it("take no time that grows with the power of the stars", () => {
    expect(matchesPattern(`${"a*".repeat(400)}b`, "a".repeat(1000))).toBe(false);
  });
});

describe("a rule", () => {
  const errors = rule("errors", {
    kind: "threshold",
    figure: "errorRate",
    above: 0.05,
    selector: { function: "pay*" },
  });

  it("judges each function that it selects by itself", () => {
    const run = new Run();
    const bad = times(5, { errors: 30 });
    expect(run.at(NOON, [errors], [fn("pay", bad), fn("payBack", times(5, {})), fn("list", bad)])).toEqual([
      "pay fired",
    ]);
    expect([...run.alerts.values()]).toMatchObject([
      { service: "shop", function: "pay", severity: "page", state: { phase: "firing", firedAt: NOON } },
    ]);
  });

  it("that is deleted, switched off or changed ends its alerts and says why", () => {
    const run = new Run();
    run.at(NOON, [errors], [fn("pay", times(5, { errors: 30 }))]);
    const { steps } = evaluate(
      { rules: [], functions: [], alerts: run.alerts, resumed: new Map() },
      NOON + 60,
    );
    expect(steps).toMatchObject([
      {
        change: "resolved",
        after: undefined,
        before: { function: "pay", sentence: "The rule was deleted." },
      },
    ]);
  });

  it("keeps an alert whose function is not called any more, as unknown", () => {
    const run = new Run();
    run.at(NOON, [errors], [fn("pay", times(5, { errors: 30 }))]);
    expect(run.at(NOON, [errors], [fn("pay", [{ errors: 30 }, ...times(10, undefined)])])).toEqual([
      "pay unknown",
    ]);
    expect([...run.alerts.values()]).toMatchObject([{ state: { phase: "firing", unknownSince: NOON } }]);
  });

  it("whose function's past is not read yet is unknown if it needs the past", () => {
    const objective = rule("slo", { kind: "objective", success: 99.9 });
    const one = { ...fn("pay", times(60, { errors: 30 })), knownSince: NOON - 3600 };
    const { unknown } = evaluate(
      { rules: [objective], functions: [one], alerts: new Map(), resumed: new Map() },
      NOON,
    );
    expect(unknown[0]!.sentence).toMatch(/^Its past is not read yet\./);
  });
});

describe("if nothing can be read", () => {
  it("alerts become unknown, and none ends", () => {
    const run = new Run();
    const errors = rule("errors", { kind: "threshold", figure: "errorRate", above: 0.05 });
    run.at(NOON, [errors], [fn("pay", times(5, { errors: 30 }))]);
    const { steps, alerts } = evaluateUnknown(run.alerts, NOON + 60);
    expect(steps.map(({ change }) => change)).toEqual(["unknown"]);
    expect(evaluateUnknown(alerts, NOON + 120).steps).toEqual([]);
  });
});

describe("a silent service", () => {
  const silent = rule("quiet", { kind: "silence", after: "10m", keepFiringFor: "0s" });
  const called = times(60, {});
  const quiet = (minutes: number) => [...times(60 - minutes, {}), ...times(minutes, undefined)];

  it("is one alert, not one for each function", () => {
    const run = new Run();
    const all = ["a", "b", "c"].map((name) => fn(name, quiet(15)));
    expect(run.at(NOON, [silent], all)).toEqual(["* fired"]);
  });

  it("whose functions are called again at different times is over at the first of them", () => {
    const run = new Run();
    run.at(
      NOON - 60,
      [silent],
      ["a", "b"].map((name) => fn(name, [...quiet(15), undefined])),
    );
    const all = [fn("a", [...quiet(15), {}]), fn("b", [...quiet(15), undefined])];
    expect(run.at(NOON, [silent], all)).toEqual(["* resolved"]);
  });

  it("of which one function is silent is an alert about that function", () => {
    expect(new Run().at(NOON, [silent], [fn("a", quiet(15)), fn("b", called)])).toEqual(["a fired"]);
  });
});

describe("the default rules", () => {
  it("are valid, and say nothing of functions that work", () => {
    const all = [fn("a", times(48 * 60, {})), fn("b", times(48 * 60, { errors: 1 }), { errors: 60 })];
    expect(new Run().at(NOON, [...DEFAULT_RULES], all)).toEqual([]);
  });

  it("page at once if all calls of a function fail, and wait if some do", () => {
    const usual = times(48 * 60, {});
    const some = [...usual, ...times(6, { errors: 12 })];
    const run = new Run();
    expect(run.at(NOON, [...DEFAULT_RULES], [fn("a", [...usual, { errors: 60 }]), fn("b", some)])).toEqual([
      "a fired",
      "b pending",
    ]);
  });
});
