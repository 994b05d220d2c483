/** Formats numbers, durations and times for people: two or three digits and a unit. Tooltips show the exact value. */

const NBSP = "\u00a0";

export interface Written {
  number: string;
  /** Empty if the number has no unit. */
  unit: string;
}

export function text({ number, unit }: Written): string {
  return unit === "" ? number : `${number}${NBSP}${unit}`;
}

const COUNTS = ["", "k", "M", "G", "T"];

/** 812, 1.2 k, 34 M */
export function count(n: number): Written {
  return scaled(n, COUNTS);
}

/** Calls per second. Small rates keep two digits, because a function that runs once a day has a rate too. */
export function rate(perSecond: number): Written {
  if (perSecond === 0 || perSecond >= 10) return count(perSecond);
  if (perSecond >= 1) return { number: short(perSecond), unit: "" };
  if (perSecond < 0.001) return { number: "<0.001", unit: "" };
  return { number: String(Number(perSecond.toPrecision(2))), unit: "" };
}

const DURATIONS = [
  { unit: "ns", ms: 1e-6, next: 1e-3 },
  { unit: "µs", ms: 1e-3, next: 1 },
  { unit: "ms", ms: 1, next: 1e3 },
  { unit: "s", ms: 1e3, next: 6e4 },
  { unit: "min", ms: 6e4, next: 3.6e6 },
  { unit: "h", ms: 3.6e6, next: 8.64e7 },
  { unit: "d", ms: 8.64e7, next: Infinity },
] as const;

/** 340 µs, 1.2 s */
export function duration(ms: number): Written {
  if (ms === 0) return { number: "0", unit: "ms" };
  const fits = DURATIONS.find(({ next, ms: size }) => Number(short(ms / size)) < next / size)!;
  return { number: short(ms / fits.ms), unit: fits.unit };
}

/** A duration at an axis: three digits, so that neighbouring ticks differ. 1.25 s, 32.3 ms. */
export function durationTick(ms: number): string {
  if (ms === 0) return "0";
  const fits = DURATIONS.find(({ ms: size, next }) => ms < next && ms >= size) ?? DURATIONS[0];
  return text({ number: String(Number((ms / fits.ms).toPrecision(3))), unit: fits.unit });
}

/** A count at an axis: exact up to three digits. 1.25 k. */
export function countTick(n: number): string {
  const power = n === 0 ? 0 : Math.max(0, Math.min(4, Math.floor(Math.log10(n) / 3)));
  return text({ number: String(Number((n / 1000 ** power).toPrecision(3))), unit: COUNTS[power]! });
}

/** 0.3 %, 14 %. Only exactly nothing is written 0 %, and only exactly everything 100 %. */
export function percent(share: number): Written {
  const value = share * 100;
  if (value === 0 || value === 100) return { number: String(value), unit: "%" };
  if (value < 0.1) return { number: "<0.1", unit: "%" };
  if (value > 99.9) return { number: ">99.9", unit: "%" };
  return { number: value < 10 || value > 99 ? value.toFixed(1) : value.toFixed(0), unit: "%" };
}

/** The relative change: +40 %, −12 %, ×3.2. Undefined if there is nothing to divide by. */
export function change(now: number, before: number): string | undefined {
  if (before === 0 || !Number.isFinite(now / before)) return undefined;
  const ratio = now / before;
  if (ratio >= 2) return `×${short(ratio)}`;
  const percents = Math.round((ratio - 1) * 100);
  if (percents === 0) return "±0 %".replace(" ", NBSP);
  return `${percents > 0 ? "+" : "−"}${Math.abs(percents)}${NBSP}%`;
}

/** just now, 4 min ago, 3 d ago */
export function ago(at: number, now: number): string {
  const ms = now - at;
  return ms < 90_000 ? "just now" : `${text(whole(ms))} ago`;
}

/** A length of time in whole units: 8 min, 3 d. */
export function span(ms: number): string {
  return text(whole(ms));
}

const exactNumber = new Intl.NumberFormat("en", { maximumFractionDigits: 6 });

export function exact(n: number, unit = ""): string {
  return unit === "" ? exactNumber.format(n) : `${exactNumber.format(n)} ${unit}`;
}

/** "1 call", "2.3 k errors". */
export function counted(n: number, noun: string): string {
  return `${text(count(n))} ${noun}${n === 1 ? "" : "s"}`;
}

/** "1 call", "2,345 errors". */
export function exactly(n: number, noun: string): string {
  return `${exact(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** 12 s ago, 4 min ago: for the age of data, where seconds count. */
export function age(ms: number): string {
  return ms < 2_000 ? "just now" : `${text(whole(ms))} ago`;
}

function whole(ms: number): Written {
  const unit = DURATIONS.filter((candidate) => candidate.ms >= 1e3).findLast(
    (candidate) => ms >= candidate.ms * 1.5,
  );
  return unit
    ? { number: String(Math.round(ms / unit.ms)), unit: unit.unit }
    : { number: String(Math.round(ms / 1000)), unit: "s" };
}

function scaled(n: number, units: readonly string[]): Written {
  let value = n;
  let i = 0;
  while (i < units.length - 1 && Math.round(value) >= 1000) {
    value /= 1000;
    i++;
  }
  return { number: i === 0 ? String(Math.round(value)) : short(value), unit: units[i]! };
}

/** One decimal below 10, none above. */
function short(value: number): string {
  return value.toFixed(value < 9.95 ? 1 : 0);
}
