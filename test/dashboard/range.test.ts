import { describe, expect, it } from "vitest";
import { boundsOf, elapsedMs, previousBounds } from "../../dashboard/range/bounds.ts";
import { readMoment, writeLength } from "../../dashboard/range/moment.ts";
import {
  DEFAULT_RANGE,
  fixed,
  isLive,
  last,
  lengthName,
  readRange,
  scaledBy,
  shifted,
  writeRange,
} from "../../dashboard/range/range.ts";

const NOW = Date.parse("2026-11-28T14:23:32.500Z");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const at = (text: string) => Date.parse(text);
const written = ({ from, to }: { from: number; to: number }) =>
  [from, to].map((ms) => new Date(ms).toISOString().slice(0, 16));
const read = (search: string) => readRange(new URLSearchParams(search), NOW);

describe("readMoment", () => {
  it("reads every form that the API takes", () => {
    expect(readMoment("now")).toEqual({ ago: 0 });
    expect(readMoment("-6h")).toEqual({ ago: 6 * HOUR });
    expect(readMoment("now-2w")).toEqual({ ago: 14 * DAY });
    expect(readMoment("1795449600000")).toEqual({ at: 1_795_449_600_000 });
    expect(readMoment("2026-11-24")).toEqual({ at: at("2026-11-24T00:00Z") });
    expect(readMoment("2026-11-24T09:30")).toEqual({ at: at("2026-11-24T09:30Z") });
    expect(readMoment("2026-11-24T09:30:05.5+02:00")).toEqual({ at: at("2026-11-24T07:30:05.5Z") });
  });

  it("reads a date without an offset as local time if it is told the offset", () => {
    expect(readMoment("2026-11-24 09:30", () => 2 * HOUR)).toEqual({ at: at("2026-11-24T07:30Z") });
    expect(readMoment("2026-11-24T09:30Z", () => 2 * HOUR)).toEqual({ at: at("2026-11-24T09:30Z") });
  });

  it("refuses dates that do not exist, epoch seconds, and anything else", () => {
    for (const text of [
      "2026-02-30",
      "2026-04-31T10:00Z",
      "2026-11-24T24:30Z",
      "2026-11-24T09:30+25:00",
      "1795449600",
      "-6",
      "6h",
      "soon",
      "",
    ]) {
      expect([text, readMoment(text)]).toEqual([text, undefined]);
    }
  });
});

describe("readRange", () => {
  it("reads ranges of any length, and fixed ranges", () => {
    expect(read("range=30d")).toEqual({ range: last(30 * DAY) });
    expect(read("range=6h")).toEqual({ range: last(6 * HOUR) });
    expect(read("from=-1h")).toEqual({ range: last(HOUR) });
    expect(read("from=-2h&to=-1h")).toEqual({ range: { from: { ago: 2 * HOUR }, to: { ago: HOUR } } });
    const [from, to] = [at("2026-11-24T09:30Z"), at("2026-11-24T10:30Z")];
    expect(read(`from=${from}&to=${to}`)).toEqual({ range: fixed(from, to) });
    expect(read("")).toEqual({ range: DEFAULT_RANGE });
  });

  it("names what it cannot read", () => {
    const instead = " This page shows the last hour instead.";
    for (const [search, problem] of Object.entries({
      "range=bogus": "The address has range=bogus, which is not a length such as 6h or 30d.",
      "range=0h": "The address has range=0h, which is not a length such as 6h or 30d.",
      "to=now": "The address has to=now without from.",
      "from=1795449600": "The address has from=1795449600, which is epoch seconds; use milliseconds.",
      "from=2026-02-30&to=now":
        "The address has from=2026-02-30, which is not a time such as -6h, 2026-11-24T09:30:00Z or epoch milliseconds.",
      "from=-1h&to=-2h": "The address has from=-1h and to=-2h, but from must be before to.",
    })) {
      expect(read(search)).toEqual({ range: DEFAULT_RANGE, problem: problem + instead });
    }
  });

  it("reads back what it writes", () => {
    for (const range of [
      last(15 * 60_000),
      last(90 * DAY),
      { from: { ago: 2 * HOUR }, to: { ago: HOUR } },
      { from: { at: NOW - DAY }, to: { ago: 0 } },
      fixed(NOW - HOUR, NOW),
    ]) {
      expect(readRange(new URLSearchParams(writeRange(range)), NOW).range).toEqual(range);
    }
    expect(writeLength(DAY)).toBe("24h");
    expect([HOUR, 90 * 60_000, DAY, 7 * DAY].map(lengthName)).toEqual([
      "hour",
      "90 minutes",
      "24 hours",
      "7 days",
    ]);
  });
});

describe("boundsOf", () => {
  it("ends at the end of the current step, and is as long as its name says", () => {
    expect(written(boundsOf(last(HOUR), NOW))).toEqual(["2026-11-28T13:24", "2026-11-28T14:24"]);
    expect(written(boundsOf(last(DAY), NOW))).toEqual(["2026-11-27T14:25", "2026-11-28T14:25"]);
    expect(written(boundsOf(last(7 * DAY), NOW))).toEqual(["2026-11-21T15:00", "2026-11-28T15:00"]);
    expect(written(boundsOf(last(90 * DAY), NOW))).toEqual(["2026-08-31T00:00", "2026-11-29T00:00"]);
  });

  it("widens a fixed range to what the server keeps at that age", () => {
    const asked = fixed(at("2026-11-19T14:23Z"), at("2026-11-19T15:23Z"));
    expect(written(boundsOf(asked, NOW))).toEqual(["2026-11-19T14:00", "2026-11-19T16:00"]);
    const recent = fixed(at("2026-11-28T10:10Z"), at("2026-11-28T10:12Z"));
    expect(written(boundsOf(recent, NOW))).toEqual(["2026-11-28T10:10", "2026-11-28T10:12"]);
    const short = fixed(at("2026-11-25T10:10Z"), at("2026-11-25T10:25Z"));
    expect(written(boundsOf(short, NOW))).toEqual(["2026-11-25T10:00", "2026-11-25T11:00"]);
  });
});

describe("previousBounds", () => {
  it("has the same length and ends where the range begins, for every live range at every minute", () => {
    for (let minute = 0; minute < 3 * 1440; minute += 7) {
      const now = NOW + minute * 60_000;
      for (const length of [
        60_000,
        HOUR,
        25 * HOUR,
        48 * HOUR,
        50 * HOUR,
        7 * DAY,
        46 * DAY,
        90 * DAY,
        400 * DAY,
      ]) {
        const bounds = boundsOf(last(length), now);
        const previous = previousBounds(bounds, now)!;
        expect(previous.to).toBe(bounds.from);
        expect(previous.to - previous.from).toBe(bounds.to - bounds.from);
        // The server cuts neither of them: they are where it cuts time itself.
        expect(boundsOf(fixed(previous.from, previous.to), now)).toEqual(previous);
        expect(bounds.to - now).toBeLessThanOrEqual(Math.max(60_000, length / 24));
      }
    }
  });

  it("is undefined if the server keeps the time before too coarsely", () => {
    const bounds = boundsOf(fixed(NOW - 93 * DAY + 5 * HOUR, NOW - 89 * DAY), NOW);
    expect(previousBounds(bounds, NOW)).toBeDefined();
    const edge = boundsOf(fixed(NOW - 88 * DAY, NOW - 84 * DAY), NOW);
    expect(previousBounds(edge, NOW)).toBeUndefined();
  });
});

describe("moving the range", () => {
  it("becomes live again at now", () => {
    const earlier = shifted(last(HOUR), -1, NOW);
    expect(isLive(earlier)).toBe(false);
    expect(shifted(earlier, 1, NOW)).toEqual(last(HOUR));
    expect(isLive(scaledBy(scaledBy(last(HOUR), 0.5, NOW), 4, NOW))).toBe(true);
  });

  it("keeps a range that does not reach now fixed", () => {
    expect(isLive(shifted(fixed(NOW - 9 * HOUR, NOW - 8 * HOUR), 1, NOW))).toBe(false);
  });
});

it("counts the time for a rate from the first data to now", () => {
  const bounds = { from: NOW - HOUR, to: NOW + HOUR };
  expect(elapsedMs(bounds, NOW)).toBe(HOUR);
  expect(elapsedMs(bounds, NOW, NOW - 600_000)).toBe(600_000);
  expect(elapsedMs(bounds, NOW, NOW)).toBe(60_000);
});
