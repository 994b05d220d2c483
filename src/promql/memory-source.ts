/** A source that keeps its series in memory. */
import { type Labels, compareLabels, labelsKey } from "./labels.ts";
import type { Matcher } from "./matcher.ts";
import type { Integral, SampleValue, Series, Source } from "./source.ts";

interface Stored {
  labels: Labels;
  times: number[];
  values: SampleValue[];
  startTimes: number[];
  integral: Integral | undefined;
}

export class MemorySource implements Source {
  private readonly stored = new Map<string, Stored>();

  /** Adds a sample. Times of a series must ascend. `startMs` is 0 if it is not known when the counter began. */
  append(labels: Labels, timeMs: number, value: SampleValue, startMs = 0): void {
    const series = this.seriesOf(labels);
    if (timeMs <= (series.times.at(-1) ?? -Infinity)) {
      throw new RangeError(
        `Samples of a series must ascend in time, but ${timeMs} follows ${series.times.at(-1)}.`,
      );
    }
    series.times.push(timeMs);
    series.values.push(value);
    series.startTimes.push(startMs);
  }

  /** Makes the series an integral: its value is known at every moment. */
  setIntegral(labels: Labels, integral: Integral): void {
    this.seriesOf(labels).integral = integral;
  }

  clear(): void {
    this.stored.clear();
  }

  /** Sorted by labels. Every series that has a sample in the range, or is an integral that began before its end. */
  select(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly Series[]> {
    const found: Series[] = [];
    for (const { labels, times, values, startTimes, integral } of this.stored.values()) {
      if (!matchers.every((matcher) => matcher.matches(labels.get(matcher.name) ?? ""))) continue;
      // An integral keeps its last sample forever, so that one is needed too.
      const first = integral ? 0 : times.findIndex((time) => time >= fromMs);
      const after = times.findLastIndex((time) => time <= toMs) + 1;
      const isThere = integral ? integral.fromMs <= toMs : first !== -1 && first < after;
      if (!isThere) continue;
      found.push({
        labels,
        times: times.slice(first, after),
        values: values.slice(first, after),
        startTimes: startTimes.slice(first, after),
        ...(integral && { integral }),
      });
    }
    return Promise.resolve(found.sort((a, b) => compareLabels(a.labels, b.labels)));
  }

  private seriesOf(labels: Labels): Stored {
    const key = labelsKey(labels);
    const known = this.stored.get(key);
    if (known) return known;
    const series: Stored = { labels, times: [], values: [], startTimes: [], integral: undefined };
    this.stored.set(key, series);
    return series;
  }
}
