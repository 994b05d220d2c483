/**
 * `npm run bench:alerts`: how often rules alert without a fault, and how soon they tell of one. Simulates functions of six
 * kinds for 90 days after 28 learned days, and faults of each. Prints the table of docs/alerts.md. Fails if the default rules
 * miss their goals.
 *
 * FUNCTIONS sets how many of each kind, RULE names the only rule. SEED sets other functions; the levels were chosen on seeds below 1,000.
 */
import { beginOf, type Detection, detectionOf, LEARNED } from "../attention/errors.ts";
import { type Fault, type FunctionKind, KINDS, simulate } from "../attention/functions.ts";
import { RULES, type RuleName, Watched } from "./rules.ts";

const FUNCTIONS = Number(process.env["FUNCTIONS"] ?? 30);
const SEED = Number(process.env["SEED"] ?? 7_000);
/** Other rules than the default one are only compared with it, so a third of the functions will do. */
const seedsOf = (rule: RuleName) =>
  Array.from({ length: rule === "failing" ? FUNCTIONS : Math.ceil(FUNCTIONS / 3) }, (_, i) => SEED + i);
const DAY = 1440;
const DAYS = 90;
/** Shares of calls that fail, each in its own simulation, so that no fault is in the past of another. */
const FAULTS = [1, 0.3, 0.05] as const;
/** Hours that a fault lasts. */
const LENGTHS: Record<FunctionKind, number> = {
  steady: 2,
  bursty: 2,
  "night-quiet": 2,
  rare: 6,
  hourly: 12,
  deploys: 2,
};
/** False pages of a function and month that the default rule may send. */
const GOALS: Record<FunctionKind, number> = {
  steady: 0.05,
  bursty: 0.2,
  "night-quiet": 0.05,
  rare: 0.05,
  hourly: 0.05,
  deploys: 0.2,
};
/** Median minutes from the first failed call until it is told, on `steady`, which is called once a second. */
const DELAY_GOALS: Partial<Record<number, number>> = { 1: 2, 0.05: 6 };

let isBroken = false;
const began = performance.now();
console.log(
  `${FUNCTIONS} functions of each kind for ${DAYS} days, a third for other rules; seeds from ${SEED}.`,
);
console.log(
  "False alerts of a function and month; share of faults told while they last, and median minutes.\n",
);
console.log("| rule | function | false | all fail | 30 % fail | 5 % fail |\n|---|---|--:|--:|--:|--:|");
const only = process.env["RULE"];
for (const rule of Object.keys(RULES) as RuleName[]) {
  if (only !== undefined && rule !== only) continue;
  for (const kind of KINDS) {
    const flags = falseAlerts(rule, kind);
    const found = FAULTS.map((share) => detect(rule, kind, share));
    console.log(`| ${[rule, kind, flags.toFixed(2), ...found.map(cell)].join(" | ")} |`);
    if (rule !== "failing") continue;
    check(`${kind}: false pages`, flags, GOALS[kind]);
    if (kind !== "steady") continue;
    for (const [i, share] of FAULTS.entries()) {
      const goal = DELAY_GOALS[share];
      if (goal !== undefined) check(`${share * 100} % fail: minutes`, found[i]!.minutes, goal);
    }
  }
}
console.log(`\n${((performance.now() - began) / 1000).toFixed(0)} s`);
if (isBroken) process.exitCode = 1;

/** How often the rule begins to fire in a month without a fault. */
function falseAlerts(rule: RuleName, kind: FunctionKind): number {
  let flags = 0;
  const seeds = seedsOf(rule);
  for (const seed of seeds) {
    const next = simulate(kind, seed);
    const watched = new Watched(rule);
    for (let minute = 0; minute < LEARNED + DAYS * DAY; minute++) {
      const fired = watched.add(next(minute), minute >= LEARNED);
      if (fired && minute >= LEARNED) flags++;
    }
  }
  return (flags / seeds.length) * (30 / DAYS);
}

function detect(rule: RuleName, kind: FunctionKind, failing: number): Detection {
  const delays: number[] = [];
  const seeds = seedsOf(rule);
  for (const seed of seeds) {
    const from = LEARNED + beginOf(seed, kind);
    const fault: Fault = { from, to: from + LENGTHS[kind] * 60, failing };
    const next = simulate(kind, seed, [fault]);
    const watched = new Watched(rule);
    let firstFailed: number | undefined;
    for (let minute = 0; minute < fault.to; minute++) {
      const counts = next(minute);
      const isFault = minute >= from;
      if (isFault && counts.errors > 0) firstFailed ??= minute;
      const fired = watched.add(counts, minute >= from - 60);
      if (!isFault || !fired || firstFailed === undefined) continue;
      delays.push(minute - firstFailed + 1);
      break;
    }
  }
  return detectionOf(delays, seeds.length);
}

function cell({ found, minutes }: Detection): string {
  return found === 0 ? "none" : `${Math.round(found * 100)} %, ${minutes} min`;
}

function check(what: string, value: number, atMost: number): void {
  if (value <= atMost) return;
  console.log(`BROKEN ${what}: ${value.toFixed(2)}, at most ${atMost}`);
  isBroken = true;
}
