/** Simulates functions that become slower: false flags a month, and how soon it is told. */
import { judgeSlowness, type Percentile } from "../../src/stats/attention-durations.ts";
import { beginOf, type Detection, detectionOf, EPOCH_MINUTE, LEARNED, MONTH } from "./errors.ts";
import { type FunctionKind, simulate, simulateDurations } from "./functions.ts";

const QUARTER = 15;

/** Calls `onFlag` at the end of each quarter at which the function begins to be slower, as the real judgement says. */
function watch(
  kind: FunctionKind,
  seed: number,
  minutes: number,
  timesSlower: (minute: number) => number,
  onFlag: (minute: number) => void,
): void {
  const next = simulate(kind, seed);
  const durations = simulateDurations(kind, seed);
  let hours: Percentile[] = [];
  let before: Percentile = { start: 0, measured: 0, p95Ms: 0 };
  let hour = { calls: 0, log: 0 };
  let wasSlow = false;
  for (let minute = 0; minute < minutes; minute += QUARTER) {
    let [calls, log] = [0, 0];
    for (let m = minute; m < minute + QUARTER; m++) {
      const made = next(m).calls;
      calls += made;
      log += made * (durations.meanOf(m) + Math.log(timesSlower(m)));
    }
    const start = (EPOCH_MINUTE + minute) * 60;
    const last = {
      start,
      measured: calls,
      p95Ms: Math.exp(calls > 0 ? log / calls + durations.noise(calls) : 0),
    };
    hour = { calls: hour.calls + calls, log: hour.log + calls * Math.log(last.p95Ms) };
    if ((minute + QUARTER) % 60 === 0) {
      const hourStart = start - 45 * 60;
      if (hour.calls > 0)
        hours.push({ start: hourStart, measured: hour.calls, p95Ms: Math.exp(hour.log / hour.calls) });
      hours = hours.filter((one) => one.start > start - 15 * 86_400);
      hour = { calls: 0, log: 0 };
    }
    if (minute >= LEARNED) {
      const judged = judgeSlowness([last, before], hours);
      const isSlow = judged !== undefined && judged !== "unknown";
      if (isSlow && !wasSlow) onFlag(minute + QUARTER);
      wasSlow = isSlow;
    }
    before = last;
  }
}

export function falseSlowness(kind: FunctionKind, seeds: readonly number[]): number {
  let flags = 0;
  for (const seed of seeds)
    watch(
      kind,
      seed,
      LEARNED + MONTH,
      () => 1,
      () => flags++,
    );
  return flags / seeds.length;
}

/** All durations double for so many hours. */
export function slownessDetection(kind: FunctionKind, seeds: readonly number[], hours: number): Detection {
  const delays: number[] = [];
  for (const seed of seeds) {
    const from = LEARNED + beginOf(seed, kind);
    const to = from + hours * 60;
    let told: number | undefined;
    watch(
      kind,
      seed,
      to,
      (minute) => (minute >= from ? 2 : 1),
      (minute) => {
        if (minute > from) told ??= minute - from;
      },
    );
    if (told !== undefined) delays.push(told);
  }
  return detectionOf(delays, seeds.length);
}
