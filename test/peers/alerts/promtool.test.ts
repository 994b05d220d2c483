/**
 * Compares when rules fire here and in Prometheus: 300 generated rules and series, each minute of two hours, by `promtool test
 * rules`. Prometheus 2.x closes its windows on both sides, and 3.x only on the right. The generated expressions use windows
 * that are a second shorter than whole minutes, which have the same samples in both.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { Random } from "../../../scripts/random.ts";
import { judgeObjective } from "../../../src/alerts/judge/objective.ts";
import { HYSTERESIS, judgeThreshold } from "../../../src/alerts/judge/threshold.ts";
import { Rule, type RuleOf, secondsOf } from "../../../src/alerts/rule.ts";
import { type AlertState, isFiring, nextState } from "../../../src/alerts/state.ts";
import type { CallCells, Cell } from "../../../src/stats/call-cells.ts";
import { needsProgram } from "../../process/needs-program.ts";

const RULES = 300;
const MINUTES = 120;
const SEED = Number(process.env["SEED"] || 1);

interface Case {
  rule: RuleOf<"threshold" | "objective">;
  expression: string;
  cells: Cell[];
}

/** The minutes at which the rule fires. Minute `m` is the end of the cell `m - 1`. */
function firesHere({ rule, cells }: Case): number[] {
  const timing = { for: secondsOf(rule.for), keepFiringFor: secondsOf(rule.keepFiringFor) };
  let state: AlertState | undefined;
  const firing: number[] = [];
  for (let minute = 0; minute <= MINUTES; minute++) {
    const now = minute * 60;
    const known: CallCells = { firstSeen: 0, lastSeen: now * 1000, minutes: cells, hours: [] };
    const [judged] =
      rule.kind === "threshold"
        ? [judgeThreshold(rule, known, now, isFiring(state))]
        : judgeObjective(rule, known, now, () => isFiring(state));
    // Before the first minute nothing is known here, and nothing is there in Prometheus.
    const condition = minute === 0 ? "false" : judged!.condition;
    ({ state } = nextState(state, condition, now, timing));
    if (isFiring(state)) firing.push(minute);
  }
  return firing;
}

function generate(random: Random, number: number): Case {
  for (;;) {
    const made = generateOnce(random, number);
    if (!isNearLimit(made)) return made;
  }
}

function generateOnce(random: Random, number: number): Case {
  const timing = {
    for: `${random.below(5)}m`,
    keepFiringFor: `${random.below(6)}m`,
  };
  const calls = 20 + random.below(200);
  // Stretches of good and of bad minutes, of any length.
  let [isBad, left] = [false, random.below(40)];
  const cells = Array.from({ length: MINUTES }, (_, i): Cell => {
    if (left-- <= 0) [isBad, left] = [!isBad, random.below(isBad ? 40 : 15)];
    const errors = isBad ? Math.floor(calls * (0.2 + 0.8 * random.next())) : 0;
    const own = isBad && number % 3 === 1 ? 1 : calls;
    return { start: i * 60, calls: own, errors: Math.min(own, errors), measured: 0, sumUs: 0 };
  });
  const over = (what: string, minutes: number) =>
    `sum_over_time(${what}{rule="${number}"}[${minutes * 60 - 1}s])`;
  const window = 1 + random.below(10);
  if (number % 3 === 0) {
    const above = 0.05 + 0.4 * random.next();
    const rule = {
      kind: "threshold",
      figure: "errorRate",
      above,
      window: `${window}m`,
      minCalls: 0,
      ...timing,
    };
    return {
      rule: Rule.parse(rule) as RuleOf<"threshold">,
      expression: `${over("errors", window)} / ${over("calls", window)} > ${above}`,
      cells,
    };
  }
  if (number % 3 === 1) {
    const below = calls * window * 0.5;
    const rule = { kind: "threshold", figure: "calls", below, window: `${window}m`, ...timing };
    return {
      rule: Rule.parse(rule) as RuleOf<"threshold">,
      // Before the window is full, Prometheus has fewer samples, and so has the rule here.
      expression: `${over("calls", window)} < ${below}`,
      cells,
    };
  }
  const [long, factor] = [20 + random.below(40), 2 + random.below(12)];
  const rule = {
    kind: "objective",
    success: 99,
    minErrors: 1,
    windows: [{ long: `${long}m`, short: `${window}m`, factor, severity: "page" }],
    ...timing,
  };
  const burn = (minutes: number) =>
    `${over("errors", minutes)} / ${over("calls", minutes)} >= ${factor} * (1 - 0.99)`;
  return {
    rule: Rule.parse(rule) as RuleOf<"objective">,
    expression: `(${burn(long)}) and (${burn(window)})`,
    cells,
  };
}

/** Whether a figure comes so near to its limit that hysteresis, which Prometheus does not have, would matter. */
function isNearLimit({ rule, cells }: Case): boolean {
  for (let minute = 1; minute <= MINUTES; minute++) {
    const ratios =
      rule.kind === "threshold"
        ? [figureOf(rule, cells, minute, secondsOf(rule.window) / 60) / (rule.above ?? rule.below!)]
        : rule.windows!.flatMap(({ long, short, factor }) =>
            [long, short].map((one) => shareOf(cells, minute, secondsOf(one) / 60) / (factor * 0.01)),
          );
    if (ratios.some((ratio) => Math.abs(ratio - 1) <= HYSTERESIS + 0.01)) return true;
  }
  return false;
}

function figureOf(rule: RuleOf<"threshold">, cells: readonly Cell[], minute: number, window: number): number {
  if (rule.figure === "errorRate") return shareOf(cells, minute, window);
  return cells.slice(Math.max(0, minute - window), minute).reduce((sum, { calls }) => sum + calls, 0);
}

function shareOf(cells: readonly Cell[], minute: number, window: number): number {
  const own = cells.slice(Math.max(0, minute - window), minute);
  const sum = (field: "calls" | "errors") => own.reduce((total, cell) => total + cell[field], 0);
  return sum("errors") / sum("calls");
}

it("300 generated rules fire at the same minutes here and in Prometheus", async (context) => {
  await needsProgram(context, "promtool", "apt-get install prometheus");
  const random = new Random(SEED);
  const cases = Array.from({ length: RULES }, (_, i) => generate(random, i));
  const firing = cases.map(firesHere);
  // Otherwise the comparison would show nothing.
  expect(firing.filter((minutes) => minutes.length > 0).length).toBeGreaterThan(RULES / 2);
  const folder = await mkdtemp(join(tmpdir(), "metrics-collector-promtool-"));
  try {
    await writeFile(join(folder, "rules.yml"), rulesFile(cases));
    await writeFile(join(folder, "test.yml"), testFile(cases, firing));
    const { stdout } = await promisify(execFile)("promtool", ["test", "rules", join(folder, "test.yml")], {
      maxBuffer: 1e8,
    }).catch((error: { stdout: string; stderr: string }) => ({
      stdout: `${error.stdout}\n${error.stderr}`.slice(0, 5_000),
    }));
    expect(stdout).toContain("SUCCESS");
    expect(stdout).not.toContain("FAILED");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** JSON is YAML too. */
function rulesFile(cases: readonly Case[]): string {
  return JSON.stringify({
    groups: [
      {
        name: "generated",
        interval: "1m",
        rules: cases.map(({ rule, expression }, i) => ({
          alert: `A${i}`,
          expr: expression,
          for: rule.for,
          keep_firing_for: rule.keepFiringFor,
        })),
      },
    ],
  });
}

function testFile(cases: readonly Case[], firing: readonly number[][]): string {
  const series = cases.flatMap(({ cells }, i) =>
    (["calls", "errors"] as const).map((name) => ({
      series: `${name}{rule="${i}"}`,
      // The sample at minute m is the cell that ends there. There is none at minute 0.
      values: `_ ${cells.map((cell) => cell[name]).join(" ")}`,
    })),
  );
  const tests = cases.flatMap((_, i) => {
    const own = new Set(firing[i]);
    return Array.from({ length: MINUTES + 1 }, (__, minute) => ({
      eval_time: `${minute}m`,
      alertname: `A${i}`,
      exp_alerts: own.has(minute) ? [{ exp_labels: { rule: String(i) } }] : [],
    }));
  });
  return JSON.stringify({
    rule_files: ["rules.yml"],
    evaluation_interval: "1m",
    tests: [{ interval: "1m", input_series: series, alert_rule_test: tests }],
  });
}
