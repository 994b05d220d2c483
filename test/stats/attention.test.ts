import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CallHistory,
  compareVerdicts,
  judgeCalls,
  judgeDurations,
  mayNeedAttention,
  type Verdict,
} from "../../src/stats/attention.ts";
import {
  isComparable,
  judgeSlowness,
  lastQuarter,
  type Percentile,
} from "../../src/stats/attention-durations.ts";
import { ErrorWatch } from "../../src/stats/attention-errors.ts";
import { type Counts, deviationsAbove, lowestPlausibleShare } from "../../src/stats/attention-rates.ts";
import { sentenceOf } from "../../src/stats/attention-sentence.ts";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 24 * HOUR;
/** A day at 15:00 UTC. */
const NOW = 29_000 * DAY + 15 * HOUR;

interface Of {
  /** Calls and errors in the minute that starts at so many seconds ago. */
  at: (ago: number, start: number) => [calls: number, errors: number];
  days?: number;
}

/** A function's history as the store keeps it. */
function history({ at, days = 20 }: Of): CallHistory {
  const cut = Math.floor((NOW - 48 * HOUR) / HOUR) * HOUR;
  const minutes: Counts[] = [];
  const hours = new Map<number, Counts>();
  let [first, last] = [Infinity, 0];
  for (let start = NOW - days * DAY; start <= NOW; start += MINUTE) {
    const [calls, errors] = at(NOW - start, start);
    if (calls === 0) continue;
    first = Math.min(first, start);
    last = start;
    if (start >= cut) {
      minutes.push({ start, calls, errors });
      continue;
    }
    const hour = Math.floor(start / HOUR) * HOUR;
    const sum = hours.get(hour) ?? { start: hour, calls: 0, errors: 0 };
    hours.set(hour, { start: hour, calls: sum.calls + calls, errors: sum.errors + errors });
  }
  return { firstSeen: first * 1000, lastSeen: last * 1000, minutes, hours: [...hours.values()] };
}

const judge = (of: Of) => judgeCalls(history(of), NOW * 1000);
const kinds = (of: Of) => judge(of).verdicts.map(({ kind }) => kind);
/** One failed call in so many. */
const oneIn = (n: number) => (start: number) => (Math.floor(start / MINUTE) % n === 0 ? 1 : 0);

describe("a function fails", () => {
  it("if it fails more than it ever did, since the moment at which that began", () => {
    const { verdicts } = judge({ at: (ago) => [60, ago <= 68 * MINUTE ? 19 : 0] });
    expect(verdicts).toMatchObject([
      {
        kind: "failing",
        isNew: true,
        since: NOW - 68 * MINUTE,
        calls: 3600,
        errors: 1140,
        usualErrorRate: 0,
      },
    ]);
  });

  it("within two minutes of the first failed call, if all calls fail", () => {
    expect(kinds({ at: (ago) => [60, ago < MINUTE ? 60 : 0] })).toEqual([]);
    expect(kinds({ at: (ago) => [60, ago <= MINUTE ? 60 : 0] })).toEqual(["failing"]);
  });

  it("for days, as new as on the first one, and is usual after a week", () => {
    const since = (days: number) => judge({ at: (ago) => [60, ago <= days * DAY ? 30 : 0] }).verdicts;
    expect(since(3)).toMatchObject([{ isNew: true, since: NOW - 3 * DAY, usualErrorRate: 0 }]);
    expect(since(6.9)).toMatchObject([{ isNew: true }]);
    expect(since(9)).toMatchObject([{ isNew: false, since: NOW - 9 * DAY }]);
  });

  it("no more, soon after its calls succeed again", () => {
    const until = (minutes: number) =>
      kinds({ at: (ago) => [60, ago > minutes * MINUTE && ago <= 3 * HOUR ? 60 : 0] });
    expect(until(1)).toEqual(["failing"]);
    expect(until(10)).toEqual([]);
  });

  it("still, while it is not called any more", () => {
    const { verdicts } = judge({ at: (ago) => (ago < 20 * MINUTE ? [0, 0] : [60, ago <= HOUR ? 60 : 0]) });
    expect(verdicts.map(({ kind }) => kind)).toEqual(["failing", "silent"]);
  });

  it("as usual, if it always failed as often", () => {
    const { verdicts } = judge({ at: () => [50, 5] });
    expect(verdicts).toMatchObject([
      { kind: "failing", isNew: false, since: NOW - 20 * DAY, usualErrorRate: 0.1 },
    ]);
    expect(judge({ at: () => [50, 5], days: 40 }).verdicts).toMatchObject([{ isNew: false, since: null }]);
  });

  it("not, if it fails as rarely as ever", () => {
    expect(judge({ at: (_, start) => [60, oneIn(5)(start)] })).toEqual({ verdicts: [], unknown: [] });
    expect(judge({ at: () => [60, 0] })).toEqual({ verdicts: [], unknown: [] });
  });

  it("not, if it does so each day at the same deploy", () => {
    const deploy = (start: number) => start % DAY >= 14 * HOUR && start % DAY < 14 * HOUR + 2 * MINUTE;
    const at = (_: number, start: number): [number, number] => [60, deploy(start) ? 4 : 0];
    expect(kinds({ at: (ago, start) => at(ago + HOUR, start) })).toEqual([]);
  });

  it("from its first call on, if it is new and most calls fail", () => {
    const { verdicts, unknown } = judge({ at: () => [2, 2], days: 1 / 72 });
    expect(verdicts).toMatchObject([{ kind: "failing", isNew: true, usualErrorRate: null }]);
    expect(unknown).toEqual([]);
  });

  it("perhaps, if it is new and a single call failed", () => {
    expect(judge({ at: (ago) => [ago === 0 ? 1 : 0, 1], days: 1 / 72 })).toMatchObject({
      verdicts: [],
      unknown: [{ kind: "failing" }],
    });
  });

  it("surely with more errors, if it does with fewer", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 2, max: 90 }), (errors, minutes) => {
        const at = (of: number) => kinds({ at: (ago) => [60, ago < minutes * MINUTE ? of : 0], days: 3 });
        expect(at(60).length).toBeGreaterThanOrEqual(at(errors).length);
      }),
      { numRuns: 20 },
    );
  });

  it("never, if it need not be looked at", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 24, maxLength: 24 }), (byHour) => {
        const at = (ago: number): [number, number] => [
          60,
          ago < 6 * HOUR ? 0 : byHour[Math.floor(ago / HOUR) % 24]!,
        ];
        const of = history({ at, days: 3 });
        expect(mayNeedAttention({ errors: 0 }, of.lastSeen, NOW * 1000)).toBe(false);
        expect(judgeCalls(of, NOW * 1000)).toEqual({ verdicts: [], unknown: [] });
      }),
      { numRuns: 20 },
    );
  });
});

describe("a function is silent", () => {
  const quietFor = (minutes: number, calls: (start: number) => number = () => 1): Of => ({
    at: (ago, start) => [ago < minutes * MINUTE ? 0 : calls(start), 0],
  });

  it("if it pauses for longer than twice its longest pause, since its last call", () => {
    expect(judge(quietFor(81)).verdicts).toMatchObject([
      { kind: "silent", isNew: true, since: NOW - 81 * MINUTE, usualGapSeconds: MINUTE },
    ]);
    expect(kinds(quietFor(7))).toEqual([]);
  });

  it("not, if it is called once an hour and its next call is due", () => {
    const hourly = (start: number) => (start % HOUR === 7 * MINUTE ? 1 : 0);
    expect(kinds(quietFor(100, hourly))).toEqual([]);
    expect(kinds(quietFor(240, hourly))).toEqual(["silent"]);
  });

  it("not in the night, if its nights are quiet, but in the morning", () => {
    const byDay = (start: number) => (start % DAY >= 6 * HOUR && start % DAY < 14.5 * HOUR ? 1 : 0);
    expect(kinds(quietFor(30, byDay))).toEqual([]);
    const open = (start: number) => (start % DAY >= 6 * HOUR && start % DAY < 22 * HOUR ? 1 : 0);
    expect(kinds(quietFor(30, open))).toEqual(["silent"]);
  });

  it("and usual, once it has been so for a day", () => {
    expect(judge(quietFor(30 * 60)).verdicts).toMatchObject([{ kind: "silent", isNew: false }]);
  });

  it("for sure with a longer pause, if it is with a shorter one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 180 }), fc.integer({ min: 0, max: 180 }), (minutes, more) => {
        expect(kinds(quietFor(minutes + more)).length).toBeGreaterThanOrEqual(
          kinds(quietFor(minutes)).length,
        );
      }),
      { numRuns: 20 },
    );
  });

  it("perhaps, if it is too new for its pauses to be known", () => {
    expect(judge({ ...quietFor(30), days: 1 })).toMatchObject({
      verdicts: [],
      unknown: [{ kind: "silent" }],
    });
  });
});

describe("a function is slower", () => {
  const last = lastQuarter(NOW);
  const quarters = (p95Ms: (ago: number) => number, count = 97, measured = 300): Percentile[] =>
    Array.from({ length: count }, (_, i) => {
      const start = last - i * 15 * MINUTE;
      return { start, measured, p95Ms: p95Ms(NOW - start) };
    });
  const hours: Percentile[] = Array.from({ length: 15 * 24 }, (_, i) => ({
    start: NOW - (i + 1) * HOUR,
    measured: 1200,
    p95Ms: 100 + (i % 7),
  }));

  it("if its p95 was far above the usual one in two quarters of an hour", () => {
    expect(
      judgeSlowness(
        quarters((ago) => (ago <= 3 * HOUR ? 200 : 100)),
        hours,
      ),
    ).toMatchObject({
      since: NOW - 3 * HOUR,
      p95Ms: 200,
      usualP95Ms: expect.closeTo(103, 0),
    });
    expect(
      judgeSlowness(
        quarters((ago) => (ago <= 15 * MINUTE ? 200 : 100)),
        hours,
      ),
    ).toBeUndefined();
    expect(
      judgeSlowness(
        quarters(() => 140),
        hours,
      ),
    ).toBeUndefined();
  });

  it("since no one knows when, if it was so in all of the past day", () => {
    expect(
      judgeSlowness(
        quarters(() => 200),
        hours,
      ),
    ).toMatchObject({ since: null });
  });

  it("not, if few calls were measured, or the usual p95 varies as much", () => {
    expect(
      judgeSlowness(
        quarters(() => 200, 2, 49),
        hours,
      ),
    ).toBeUndefined();
    const varied = hours.map((hour, i) => ({ ...hour, p95Ms: i % 2 === 0 ? 100 : 190 }));
    expect(
      judgeSlowness(
        quarters(() => 200),
        varied,
      ),
    ).toBeUndefined();
  });

  it("perhaps, if no earlier day is known", () => {
    expect(
      judgeSlowness(
        quarters(() => 200),
        hours.slice(0, 20),
      ),
    ).toBe("unknown");
    expect(
      judgeDurations({ quarters: quarters(() => 200), hours: [] }, { calls: 9, errors: 0 }),
    ).toMatchObject({
      verdicts: [],
      unknown: [{ kind: "slower" }],
    });
  });

  it("compared with this hour and its neighbours on earlier days", () => {
    const compared = Array.from({ length: 24 * 16 }, (_, i) => i).filter((ago) =>
      isComparable(last - ago * HOUR, last),
    );
    expect(compared.slice(0, 6)).toEqual([23, 24, 25, 47, 48, 49]);
    expect(compared).toHaveLength(14 * 3);
  });
});

describe("what is looked at first", () => {
  it("is new, then fails, then is the worst", () => {
    const one = (kind: Verdict["kind"], isNew: boolean, weight: number) => ({
      ...judge({ at: () => [50, 5] }).verdicts[0]!,
      service: "s",
      module: "",
      function: `${kind}${weight}`,
      kind,
      isNew,
      weight,
    });
    const all = [
      one("slower", true, 9),
      one("failing", false, 9),
      one("failing", true, 1),
      one("silent", true, 5),
      one("failing", true, 2),
    ];
    expect(all.sort(compareVerdicts).map((of) => of.function)).toEqual([
      "failing2",
      "failing1",
      "silent5",
      "slower9",
      "failing9",
    ]);
  });

  it("says why in a sentence", () => {
    const of = (one: Of) =>
      judge(one).verdicts.map((verdict) => sentenceOf(verdict, (NOW - 81 * MINUTE) * 1000, NOW * 1000));
    expect(of({ at: (ago) => [60, ago <= 68 * MINUTE ? 19 : 0] })).toEqual([
      "32 % of calls fail, usually 0 %; since 68 minutes.",
    ]);
    expect(of({ at: () => [50, 5] })).toEqual(["10 % of calls fail, as usual; since 20 days."]);
    expect(of({ at: (ago) => [ago < 81 * MINUTE ? 0 : 1, 0] })).toEqual([
      "Last called 81 minutes ago; at this hour it usually pauses 1 minute at most.",
    ]);
  });
});

describe("the comparison of shares", () => {
  it("is exact where few errors are expected, and as the usual one where many are", () => {
    expect(deviationsAbove(100, 3, 0.001, 1)).toBeCloseTo(3.83, 1);
    expect(deviationsAbove(10_000, 1100, 0.1, 1)).toBeCloseTo(3.28, 1);
    expect(deviationsAbove(10_000, 900, 0.1, 1)).toBeLessThan(-3);
    expect(deviationsAbove(10_000, 1100, 0.1, 4)).toBeCloseTo(3.28 / 2, 1);
    expect(lowestPlausibleShare(10, 10, 3)).toBeCloseTo(0.526, 2);
    expect(lowestPlausibleShare(10, 0, 3)).toBeCloseTo(0);
  });

  it("gives the same state whether minutes are added one by one or with pauses left out", () => {
    const of = history({
      at: (ago, start) => [oneIn(3)(start) * 5, ago < HOUR ? oneIn(3)(start) * 5 : 0],
      days: 3,
    });
    const [sparse, dense] = [new ErrorWatch(), new ErrorWatch()];
    for (const hour of of.hours) [sparse, dense].forEach((watch) => watch.addHour(hour));
    const byStart = new Map(of.minutes.map((minute) => [minute.start, minute]));
    for (let start = of.minutes[0]!.start; start <= NOW; start += MINUTE) {
      dense.addMinute(byStart.get(start) ?? { start, calls: 0, errors: 0 });
    }
    for (const minute of of.minutes) sparse.addMinute(minute);
    sparse.passTo(NOW / MINUTE);
    expect(sparse.failing(of.firstSeen)).toEqual(dense.failing(of.firstSeen));
    expect(dense.failing(of.firstSeen)).toMatchObject({ isNew: true });
  });
});
