/**
 * `npm run bench:attention`: how often the judgement of stats/attention is wrong, and how soon it is right. Simulates 90
 * functions of each of six kinds for a month after 28 learned days, without a fault and with faults. Prints the same
 * for two other rules. Fails if a figure is worse than what docs and alerts promise.
 *
 * FUNCTIONS sets how many of each kind. SEED sets other functions; the levels were chosen on seeds below 1,000.
 */
import { agreement, detection, type Detection, FAULTS, falseFlags, RULE_NAMES } from "./errors.ts";
import { falseSilences, silenceDetection } from "./silence.ts";
import { falseSlowness, slownessDetection } from "./durations.ts";
import { type FunctionKind, KINDS } from "./functions.ts";

const FUNCTIONS = Number(process.env["FUNCTIONS"] ?? 90);
const SEED = Number(process.env["SEED"] ?? 5_000);
const seeds = Array.from({ length: FUNCTIONS }, (_, i) => SEED + i);

/** False flags a month that are allowed: failing, silent, slower. */
const ALLOWED: Record<FunctionKind, [number, number, number]> = {
  steady: [0.1, 0.1, 0.1],
  bursty: [0.5, 0.1, 0.1],
  "night-quiet": [0.1, 0.1, 0.1],
  rare: [0.1, 0.1, 0.1],
  hourly: [0.1, 0.1, 0.1],
  deploys: [0.5, 0.1, 0.1],
};
/** Hours that a fault lasts. */
const LENGTHS: Record<FunctionKind, number> = {
  steady: 2,
  bursty: 2,
  "night-quiet": 2,
  rare: 6,
  hourly: 12,
  deploys: 2,
};

let isBroken = false;
const began = performance.now();
console.log(
  `${FUNCTIONS} functions of each kind, seeds from ${SEED}. Flags are per function and month; found are`,
);
console.log(
  "shares of faults that are told while they last, with the median minutes from the first failed call.\n",
);
console.log(row("failing", ["false", ...FAULTS.map((share) => `${share * 100} % fail`)]));
for (const kind of KINDS) {
  const flags = falseFlags(kind, seeds);
  const found = detection(kind, seeds, LENGTHS[kind]);
  for (const rule of RULE_NAMES) {
    console.log(row(`${kind}, ${rule}`, [flags[rule].toFixed(2), ...found[rule].map(cell)]));
  }
  check(`${kind}: false failing`, flags.ours, ALLOWED[kind][0]);
  const same = agreement(kind, seeds.slice(0, 4));
  if (same < 0.95) check(`${kind}: moments at which fed and stored state differ`, 1 - same, 0.05);
}
console.log(`\n${row("silent, slower", ["false", "silent", "false", "twice as slow"])}`);
for (const kind of KINDS) {
  const [silences, slow] = [falseSilences(kind, seeds), falseSlowness(kind, seeds)];
  const found = [silenceDetection(kind, seeds, 6), slownessDetection(kind, seeds, 2)];
  console.log(row(kind, [silences.toFixed(2), cell(found[0]!), slow.toFixed(2), cell(found[1]!)]));
  check(`${kind}: false silent`, silences, ALLOWED[kind][1]);
  check(`${kind}: false slower`, slow, ALLOWED[kind][2]);
}
console.log(`\n${((performance.now() - began) / 1000).toFixed(0)} s`);
if (isBroken) process.exitCode = 1;

function cell({ found, minutes }: Detection): string {
  return found === 0 ? "none" : `${Math.round(found * 100)} %, ${minutes} min`;
}

function row(name: string, cells: string[]): string {
  return `${name.padEnd(22)}${cells.map((text) => text.padStart(14)).join("")}`;
}

function check(what: string, value: number, atMost: number): void {
  if (value <= atMost) return;
  console.log(`BROKEN ${what}: ${value.toFixed(2)}, at most ${atMost}`);
  isBroken = true;
}
