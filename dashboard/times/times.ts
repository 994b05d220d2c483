/** Writes dates and times in one time zone, with a 24-hour clock: the browser's zone, or UTC. */
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { serverNow } from "../api/server-clock.ts";

export type Zone = "local" | "utc";

export interface Times {
  zone: Zone;
  /** "UTC+1" at this moment, or "UTC". */
  offset: (ms: number) => string;
  /** "Europe/Berlin", or "UTC". */
  name: string;
  /** 24 Nov, 09:30; with the year if it is not the current one. */
  moment: (ms: number) => string;
  /** 09:30 */
  clock: (ms: number) => string;
  /** 09:30:12 */
  seconds: (ms: number) => string;
  /** 24 Nov */
  day: (ms: number) => string;
  /** 24 Nov, 09:30 – 10:30; the second date only if it differs. */
  span: (from: number, to: number) => string;
  /** 2026-11-24 09:30, as in a text field. */
  field: (ms: number) => string;
  /** Milliseconds to subtract from a local time that was read as if it were UTC. */
  localOffsetMs: (asUtc: number) => number;
}

const ALL: Record<Zone, Times> = { local: timesOf("local"), utc: timesOf("utc") };

export function timesIn(zone: Zone): Times {
  return ALL[zone];
}

export const TimesContext = createContext(ALL.local);

export function useTimes(): Times {
  return useContext(TimesContext);
}

function timesOf(zone: Zone): Times {
  const timeZone = zone === "utc" ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone;
  const format = (options: Intl.DateTimeFormatOptions) => {
    const formatter = new Intl.DateTimeFormat("en-GB", { timeZone, hourCycle: "h23", ...options });
    return (ms: number) => formatter.format(ms);
  };
  const clock = format({ hour: "2-digit", minute: "2-digit" });
  const day = format({ day: "numeric", month: "short" });
  const dayAndYear = format({ day: "numeric", month: "short", year: "numeric" });
  const year = format({ year: "numeric" });
  const iso = new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    dateStyle: "short",
    timeStyle: "short",
  });
  const zoneName = new Intl.DateTimeFormat("en-GB", { timeZone, timeZoneName: "shortOffset" });
  const date = (ms: number) => (year(ms) === year(serverNow()) ? day(ms) : dayAndYear(ms));
  const moment = (ms: number) => `${date(ms)}, ${clock(ms)}`;
  const field = (ms: number) => iso.format(ms);
  const offsetAt = (ms: number) =>
    Date.parse(`${field(ms).replace(" ", "T")}Z`) - Math.floor(ms / 60_000) * 60_000;
  return {
    zone,
    name: timeZone,
    offset: (ms) =>
      zone === "utc"
        ? "UTC"
        : zoneName
            .formatToParts(ms)
            .find(({ type }) => type === "timeZoneName")!
            .value.replace("GMT", "UTC"),
    moment,
    clock,
    seconds: format({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    day,
    span: (from, to) => `${moment(from)} – ${date(from) === date(to) ? clock(to) : moment(to)}`,
    field,
    // Twice, because the offset may differ between the two readings near a change of the clocks.
    localOffsetMs: (asUtc) => offsetAt(asUtc - offsetAt(asUtc)),
  };
}
