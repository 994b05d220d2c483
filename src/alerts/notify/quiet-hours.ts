/** Quiet hours: messages that can wait are held until they end. */
import type { QuietHours } from "../target.ts";

const MINUTE = 60;

/** The end of the quiet hours that `now` is in, in epoch seconds. Undefined if it is in none. */
export function quietUntil(quiet: QuietHours | undefined, now: number): number | undefined {
  if (!quiet || !isQuiet(quiet, now)) return undefined;
  // Minute by minute, since a day of a time zone may have 23 or 25 hours.
  for (let at = (Math.floor(now / MINUTE) + 1) * MINUTE; ; at += MINUTE) {
    if (!isQuiet(quiet, at) || at > now + 2 * 86_400) return at;
  }
}

function isQuiet({ from, to, timeZone }: QuietHours, now: number): boolean {
  const time = formatOf(timeZone).format(now * 1000);
  return from <= to ? time >= from && time < to : time >= from || time < to;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Making a format takes far longer than using it. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-GB", {
      timeZone,
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    formats.set(timeZone, format);
  }
  return format;
}
