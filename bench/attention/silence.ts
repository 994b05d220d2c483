/** Simulates functions that stop being called: false flags a month, and how soon it is told. */
import type { Counts } from "../../src/stats/attention-rates.ts";
import { judgeSilence, learnPauses } from "../../src/stats/attention-silence.ts";
import { beginOf, type Detection, detectionOf, EPOCH_MINUTE, LEARNED, MONTH } from "./errors.ts";
import { type Fault, type FunctionKind, simulate } from "./functions.ts";

const MINUTES_KEPT = 48 * 60;

/** Calls `onFlag` at each minute at which the function begins to be silent, as the real judgement says. */
function watch(
  kind: FunctionKind,
  seed: number,
  minutes: number,
  faults: Fault[],
  onFlag: (minute: number) => void,
) {
  const next = simulate(kind, seed, faults);
  let recent: Counts[] = [];
  const hours: Counts[] = [];
  let [lastSeen, learnedAt, wasSilent] = [0, -1, false];
  let usual = learnPauses([], []);
  for (let minute = 0; minute < minutes; minute++) {
    const { calls, errors } = next(minute);
    const start = (EPOCH_MINUTE + minute) * 60;
    if (minute % 60 === 0) age(recent, hours, start);
    if (minute % 60 === 0) recent = recent.filter((one) => one.start >= start - MINUTES_KEPT * 60);
    if (calls > 0) {
      recent.push({ start, calls, errors });
      lastSeen = (start + 30) * 1000;
    }
    if (minute < LEARNED) continue;
    const now = (start + 60) * 1000;
    if (now - lastSeen > 5 * 60_000 && learnedAt < lastSeen) {
      usual = learnPauses(recent, hours);
      learnedAt = lastSeen;
    }
    const silent = judgeSilence(usual, EPOCH_MINUTE * 60_000, lastSeen, now);
    const isSilent = silent !== undefined && silent !== "unknown";
    if (isSilent && !wasSilent) onFlag(minute);
    wasSilent = isSilent;
  }
}

/** Moves minutes older than 48 hours into hours, as the store does. */
function age(recent: readonly Counts[], hours: Counts[], now: number): void {
  const cut = now - MINUTES_KEPT * 60;
  for (const { start, calls, errors } of recent) {
    if (start >= cut) break;
    const hour = Math.floor(start / 3600) * 3600;
    const last = hours.at(-1);
    if (last?.start === hour) last.calls += calls;
    else hours.push({ start: hour, calls, errors });
  }
  while (hours.length > 0 && hours[0]!.start < now - 28 * 86_400) hours.shift();
}

export function falseSilences(kind: FunctionKind, seeds: readonly number[]): number {
  let flags = 0;
  for (const seed of seeds) watch(kind, seed, LEARNED + MONTH, [], () => flags++);
  return flags / seeds.length;
}

/** Minutes are from the last call. */
export function silenceDetection(kind: FunctionKind, seeds: readonly number[], hours: number): Detection {
  const delays: number[] = [];
  for (const seed of seeds) {
    const from = LEARNED + beginOf(seed, kind);
    let told: number | undefined;
    watch(kind, seed, from + hours * 60, [{ from, to: from + hours * 60, isSilent: true }], (minute) => {
      if (minute >= from) told ??= minute - from + 1;
    });
    if (told !== undefined) delays.push(told);
  }
  return detectionOf(delays, seeds.length);
}
