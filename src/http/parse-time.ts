/** Parses times and durations as people and programs write them. */

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;
const MAX_EPOCH_MS = 253_402_300_799_999; // The last millisecond of the year 9999.
/** Epoch milliseconds below this are in the first four months of 1970. Such a number probably means seconds. */
const MIN_EPOCH_MS = 1e10;
const ISO_8601 =
  /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(?:Z|[+-](\d{2}):(\d{2}))?)?$/;
/** The zone after a time of day. The `T` keeps a date alone from matching. */
const ZONE = /T.*(Z|[+-]\d{2}:\d{2})$/;

/**
 * Parses a time and returns epoch milliseconds. Accepts ISO 8601 (UTC if no zone is given), epoch milliseconds, `now`, and
 * times relative to now such as `-24h` and `now-24h`. Returns undefined if the text is not a time, and "epoch seconds" if
 * it looks like epoch seconds.
 */
export function parseTime(text: string, now: number): number | "epoch seconds" | undefined {
  if (text === "now") return now;
  const [, ago] = /^(?:now)?-(.+)$/.exec(text) ?? [];
  const seconds = ago === undefined ? undefined : parseDuration(ago);
  if (seconds !== undefined) return inBounds(now - seconds * 1000);
  if (/^\d{1,15}$/.test(text)) {
    const number = Number(text);
    return number > 0 && number < MIN_EPOCH_MS ? "epoch seconds" : inBounds(number);
  }
  return isRealDate(text) ? inBounds(Date.parse(text.includes("T") ? withZone(text) : text)) : undefined;
}

/** Parses ISO 8601 with a time of day and a zone. Returns epoch milliseconds, or undefined for any other text. */
export function parseInstant(text: string): number | undefined {
  return ZONE.test(text) && isRealDate(text) ? inBounds(Date.parse(text)) : undefined;
}

/** Parses a duration such as `5m` and returns seconds. Units are s, m, h, d and w. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  return unit === undefined ? undefined : Number(number) * SECONDS[unit as keyof typeof SECONDS];
}

function inBounds(epochMs: number): number | undefined {
  return epochMs >= 0 && epochMs <= MAX_EPOCH_MS ? epochMs : undefined;
}

/** `Date.parse` turns 30 February into 2 March, and takes times without a zone as local. */
function isRealDate(text: string): boolean {
  const match = ISO_8601.exec(text);
  if (!match) return false;
  const [year, month, day, hour = 0, minute = 0, second = 0, zoneHour = 0, zoneMinute = 0] = match
    .slice(1)
    .map((part) => (part === undefined ? undefined : Number(part))) as [number, number, number];
  const daysInMonth = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return (
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysInMonth &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 59 &&
    zoneHour <= 14 &&
    zoneMinute <= 59
  );
}

function withZone(text: string): string {
  return ZONE.test(text) ? text : `${text}Z`;
}
