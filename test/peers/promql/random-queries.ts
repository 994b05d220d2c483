/**
 * Makes random series and random valid queries over them, the same ones for the same seed.
 *
 * They leave out where Prometheus 2 and 3 differ: windows that begin at a sample, `rate` over gaps, the name in the
 * result of `atan2`, the deviation of infinite values, comparisons that match one series with several.
 * They leave out functions that make a last digit's difference large, such as `floor` and `sinh`.
 */

export interface RandomSeries {
  name: string;
  labels: Record<string, string>;
  /** Unix seconds and values. */
  samples: [second: number, value: number][];
}

export interface RandomQuery {
  text: string;
  startMs: number;
  endMs: number;
  /** 0 for an instant query at `startMs`. */
  stepMs: number;
}

export const SAMPLES = 240;
export const SPACING_SECONDS = 15;

export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed;
  }

  /** From 0 up to, but without, 1. Mulberry32. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(share: number): boolean {
    return this.next() < share;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}

/** Counters with resets, gauges with gaps, a metric of constant 1, and classic histograms. */
export function makeSeries(random: Random, startSecond: number): RandomSeries[] {
  const series: RandomSeries[] = [];
  const add = (name: string, labels: Record<string, string>, valueAt: () => number | undefined): void => {
    const samples: [number, number][] = [];
    for (let index = 0; index < SAMPLES; index++) {
      const value = valueAt();
      if (value !== undefined) samples.push([startSecond + index * SPACING_SECONDS, value]);
    }
    series.push({ name, labels, samples });
  };
  for (const job of ["api", "web"]) {
    for (const instance of ["0", "1", "2"]) {
      const labels = { job, instance };
      let total = 1000;
      add("http_requests_total", { ...labels, code: random.pick(["200", "500"]) }, () => {
        total = (random.chance(0.02) ? 0 : total) + random.below(20);
        return total;
      });
      add("temperature", labels, () => (random.chance(0.1) ? undefined : random.below(1000) / 10 - 30));
      add("build_info", { ...labels, version: random.pick(["1", "2"]) }, () => 1);
      const increases = Array.from({ length: SAMPLES }, () => [0, 1, 2, 3].map(() => random.below(5)));
      for (const [bucket, le] of ["0.1", "1.0", "5.0", "+Inf"].entries()) {
        let count = 0;
        let index = 0;
        add("duration_seconds_bucket", { ...labels, le }, () => {
          count += increases[index++]!.slice(0, bucket + 1).reduce((a, b) => a + b, 0);
          return count;
        });
      }
    }
  }
  return series;
}

const OVER_TIME = (
  "avg_over_time min_over_time max_over_time sum_over_time count_over_time stddev_over_time stdvar_over_time " +
  "last_over_time present_over_time absent_over_time changes resets deriv delta idelta"
).split(" ");
const OF_NUMBERS =
  "abs sqrt ln log2 log10 sgn sin cos tan atan tanh asinh rad deg round timestamp absent".split(" ");
const AGGREGATIONS = "sum avg min max count group".split(" ");
const LENGTHS = ["1m", "2m", "5m", "10m"];
const MATCHERS = [
  'job="api"',
  'job=~"a.*|x"',
  'instance!="0"',
  'instance=~"[01]"',
  'code!~"5.."',
  'le=~"1.0|5.0|"',
];
const OPERATORS = "+ - * / % ^ == != > < >= <= and or unless".split(" ");

/** A query of one or more levels. Ties of topk are left out, since their order is that of the storage. */
export function makeQuery(random: Random, startSecond: number): RandomQuery {
  const text = vector(random, 1 + random.below(3));
  // Away from the samples' own times, since Prometheus 2 has windows that are closed at their older end.
  const startMs = (startSecond + 600 + random.below(2000)) * 1000 + 137;
  if (random.chance(0.4)) return { text, startMs, endMs: startMs, stepMs: 0 };
  const stepMs = random.pick([15_000, 30_000, 60_000, 77_000]);
  return { text, startMs, endMs: startMs + random.below(20) * stepMs, stepMs };
}

function vector(random: Random, depth: number): string {
  const inner = (): string => vector(random, depth - 1);
  if (depth <= 0 || random.chance(0.1)) return selector(random) + modifiers(random);
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
      return `${random.pick(OVER_TIME)}(${range(random, depth - 1)})`;
    case 3:
      return `quantile_over_time(${random.pick(["0.5", "0.9", "1"])}, ${range(random, depth - 1)})`;
    case 4:
      return `${random.pick(OF_NUMBERS)}(${inner()})`;
    case 5:
    case 6:
      return `${random.pick(AGGREGATIONS)}${grouping(random)}(${inner()})`;
    case 7:
      return `histogram_quantile(${random.pick(["0.5", "0.99", "0", "1"])}, ${buckets(random)})`;
    case 8:
      return `label_replace(${inner()}, "new", "x-$1", "job", "${random.pick(["(.*)", "a(.*)", "none"])}")`;
    case 9:
      return `(${inner()}) ${random.pick(["+", "-", "*", "/", ">", "== bool"])} ${random.pick(["2", "0.5", "-1"])}`;
    case 10:
      return `${random.pick(["rate", "increase", "irate"])}(http_requests_total[${random.pick(LENGTHS)}]${modifiers(random)})`;
    default: {
      const operator = random.pick(OPERATORS);
      const isComparison = /[=<>]/.test(operator);
      const matching =
        !isComparison && random.chance(0.5) ? `${random.pick(["on", "ignoring"])} (${labels(random)}) ` : "";
      return `(${inner()}) ${operator} ${matching}(${inner()})`;
    }
  }
}

function range(random: Random, depth: number): string {
  const length = random.pick(LENGTHS);
  if (depth > 0 && random.chance(0.2))
    return `(${vector(random, depth - 1)})[${length}:${random.pick(["30s", "1m"])}]`;
  return `${selector(random)}[${length}]${modifiers(random)}`;
}

function selector(random: Random): string {
  const name = random.pick(["http_requests_total", "temperature", "build_info", "duration_seconds_bucket"]);
  return random.chance(0.4) ? `${name}{${random.pick(MATCHERS)}}` : name;
}

const modifiers = (random: Random): string =>
  random.chance(0.2) ? ` offset ${random.pick(["1m", "45s", "3m"])}` : "";

const buckets = (random: Random): string =>
  random.pick(["sum by (le, job) (rate(duration_seconds_bucket[2m]))", "rate(duration_seconds_bucket[5m])"]);

const labels = (random: Random): string =>
  Array.from({ length: random.below(3) }, () => random.pick(["job", "instance", "code", "le"])).join(", ");

const grouping = (random: Random): string =>
  random.chance(0.3) ? "" : ` ${random.pick(["by", "without"])} (${labels(random)}) `;
