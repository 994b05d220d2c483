/** Writes 90 days of history into D1, as flushes and the retention job would have left it. */
import { bucketIndex, type Histogram } from "../../src/stats/histogram.ts";

export interface History {
  functions: number;
  /** So many functions are called every minute. The others are called in one minute of each hour. */
  busy: number;
  days: number;
  callsPerMinute: number;
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
/** Number of different histograms that the rows take in turn. */
const VARIANTS = 16;
const FUNCTIONS_AT_ONCE = 50;
/** Beyond this number of calls, hardly any new bucket is filled. */
const ENOUGH_CALLS = 20_000;

export async function seed(db: D1Database, history: History): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const hour = Math.floor(now / HOUR) * HOUR;
  const minutes = hour - 48 * HOUR;
  const { functions, busy, days, callsPerMinute: calls } = history;
  await db
    .prepare(
      `WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < ?1)
       INSERT INTO functions SELECT n, 'service' || (n % 10), 'app/module' || (n % 40), 'function' || n, 0, 0, 0, 0, 0.5, 900,
         '{}', ?2, ?3 FROM i`,
    )
    .bind(functions, (now - days * DAY) * 1000, now * 1000)
    .run();
  await db.exec(
    "CREATE TABLE variants (calls INTEGER, variant INTEGER, histogram TEXT, PRIMARY KEY (calls, variant))",
  );
  const each = [calls, calls * 60, calls * 60 * 24].flatMap((number) =>
    Array.from({ length: VARIANTS }, (_, variant) =>
      db.prepare("INSERT INTO variants VALUES (?, ?, ?)").bind(number, variant, histogramOf(number, variant)),
    ),
  );
  await db.batch(each);
  for (let id = 1; id <= functions; id += FUNCTIONS_AT_ONCE) {
    const last = id + FUNCTIONS_AT_ONCE - 1;
    const isBusy = id <= busy;
    await db.batch([
      rollups(db, [id, last], HOUR, [hour - days * DAY, minutes, HOUR], isBusy ? calls * 60 : calls),
      rollups(db, [id, last], MINUTE, [minutes, now, isBusy ? MINUTE : HOUR], calls),
      db
        .prepare(
          `UPDATE functions SET histogram = (SELECT histogram FROM variants WHERE calls = ?3 AND variant = functions.id % ${VARIANTS}),
             (calls, errors, unmeasured, sum_us) =
               (SELECT sum(calls), sum(errors), 0, sum(sum_us) FROM rollups WHERE function_id = functions.id)
           WHERE id BETWEEN ?1 AND ?2`,
        )
        .bind(id, last, calls * 60 * 24),
    ]);
  }
}

function rollups(
  db: D1Database,
  [first, last]: [number, number],
  width: number,
  [from, to, every]: [number, number, number],
  calls: number,
): D1PreparedStatement {
  return db
    .prepare(
      `WITH RECURSIVE t(at) AS (SELECT ?3 UNION ALL SELECT at + ?5 FROM t WHERE at + ?5 < ?4)
       INSERT INTO rollups SELECT f.id, ${width}, at, ?6, ?6 / 50, 0, ?6 * 20000, 0.5, 900,
         (SELECT histogram FROM variants WHERE calls = ?6 AND variant = (f.id + at / ?5) % ${VARIANTS})
       FROM functions AS f CROSS JOIN t WHERE f.id BETWEEN ?1 AND ?2`,
    )
    .bind(first, last, from, to, every, calls);
}

/** A histogram of up to `calls` random durations. More calls fill more buckets. */
function histogramOf(calls: number, variant: number): string {
  const random = generator(variant + calls);
  const histogram: Histogram = {};
  for (let i = 0; i < Math.min(calls, ENOUGH_CALLS); i++) {
    const index = bucketIndex(20 * Math.exp(normal(random)));
    histogram[index] = (histogram[index] ?? 0) + 1;
  }
  return JSON.stringify(histogram);
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** The mulberry32 generator. The same seed gives the same history. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
