/** Reads and writes the times that the API accepts: `-24h`, `now`, ISO 8601, epoch milliseconds. */

/** A moment before now, or a fixed one. Both in milliseconds. */
export type Moment = { ago: number } | { at: number };

/** A range whose `to` is now moves with time. */
export interface Range {
  from: Moment;
  to: Moment;
}

const UNITS = { s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7, w: 6.048e8 } as const;
type Unit = keyof typeof UNITS;
const LAST_MS = 253_402_300_799_999; // The last millisecond of the year 9999.
/** Smaller numbers are epoch seconds, not milliseconds: this many milliseconds after 1970 it was March 1973. */
const LEAST_MS = 1e11;

const ISO = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:\d{2})?)?$/;

/**
 * Undefined if the text is no time. A date without an offset is UTC, as in the API; with `localOffsetMs` it is local
 * time. That function gives the offset from UTC at a time given as if it were UTC.
 */
export function readMoment(
  text: string,
  localOffsetMs: (asUtc: number) => number = () => 0,
): Moment | undefined {
  const trimmed = text.trim();
  const relative = /^(?:now)?-(.+)$/.exec(trimmed);
  const ago = trimmed === "now" ? 0 : relative ? readLength(relative[1]!) : undefined;
  if (ago !== undefined) return { ago };
  const at = /^\d{1,15}$/.test(trimmed) ? readEpoch(trimmed) : readDate(trimmed, localOffsetMs);
  return at !== undefined && at >= 0 && at <= LAST_MS ? { at } : undefined;
}

/** "24h" in milliseconds. Undefined if the text is no length. */
export function readLength(text: string): number | undefined {
  const [, number, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  return unit === undefined ? undefined : Number(number) * UNITS[unit as Unit];
}

/** The shortest text that `readLength` reads: 24h, not 1d, because that is the usual name. */
export function writeLength(ms: number): string {
  const unit =
    ms > 48 * UNITS.h && ms % UNITS.d === 0 ? "d" : (["h", "m"] as const).find((u) => ms % UNITS[u] === 0);
  return unit === undefined ? `${Math.round(ms / 1000)}s` : `${ms / UNITS[unit]}${unit}`;
}

export function writeMoment(moment: Moment): string {
  if ("at" in moment) return new Date(moment.at).toISOString();
  return moment.ago === 0 ? "now" : `-${writeLength(moment.ago)}`;
}

export function momentAt(moment: Moment, now: number): number {
  return "at" in moment ? moment.at : now - moment.ago;
}

function readEpoch(text: string): number | undefined {
  return Number(text) >= LEAST_MS ? Number(text) : undefined;
}

function readDate(text: string, localOffsetMs: (asUtc: number) => number): number | undefined {
  const [, date, time = "00:00", offset] = ISO.exec(text) ?? [];
  if (date === undefined) return undefined;
  const asUtc = Date.parse(`${date}T${time}Z`);
  // `Date.parse` takes 30 February as 2 March, and 24:00 as the next day.
  if (Number.isNaN(asUtc) || !new Date(asUtc).toISOString().startsWith(date)) return undefined;
  return offset === undefined ? asUtc - localOffsetMs(asUtc) : Date.parse(`${date}T${time}${offset}`);
}
