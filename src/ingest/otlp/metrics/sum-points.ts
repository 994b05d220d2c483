/**
 * Sums the data points of a request. Points of delta temporality become sums of calls at once. Cumulative points go to the
 * buffer as they are, because only the buffer knows what each of their streams had counted before.
 */
import { countOf, type Meaning, type PointValue } from "../../../stats/point.ts";
import { normaliseName } from "../../../stats/series-id.ts";
import type { DecodedPart } from "../../decoder.ts";
import { otlpLimits } from "../limits.ts";
import { addPointTo, type BatchSource, nameOf, type SeriesSums } from "../series-sums.ts";
import { type ServiceSums, tooLarge } from "../service-sums.ts";
import type { OtlpSettings } from "../settings.ts";
import type { Tally } from "../tally.ts";
import type { Point, ResourceMetrics } from "../wire/metric-messages.ts";
import { CATALOGUE, type CountedMetric, UNITS_MS } from "./catalogue.ts";
import { cumulativeBatches, type CumulativePoint, senderOf, streamOf } from "./cumulative.ts";
import { meaningOf } from "./meaning.ts";
import { histogramIn, numberIn } from "./point-value.ts";

const DELTA = 1;
const CUMULATIVE = 2;
/** A flag of points that stand for a gap. */
const NO_VALUE = 1;

export class PointSums {
  readonly #services: ServiceSums;
  readonly #tally: Tally;
  readonly #settings: OtlpSettings;
  readonly #cumulative = new Map<SeriesSums, Map<string, CumulativePoint[]>>();
  #cumulativePoints = 0;
  /** The resource whose points come now. */
  #resource: ResourceMetrics | undefined;
  /** Families that have a counter in this resource. */
  readonly #counters = new Set<string>();
  /** Histograms of this resource, by family. Each function makes its histogram count as calls too. */
  readonly #histograms = new Map<string, (() => void)[]>();

  constructor(services: ServiceSums, tally: Tally, settings: OtlpSettings) {
    this.#services = services;
    this.#tally = tally;
    this.#settings = settings;
  }

  add(point: Point): void {
    const problem = this.#add(point);
    if (problem === "by design") this.#tally.dropped++;
    else if (problem !== undefined) this.#tally.reject(problem);
  }

  /** What the points became, by service. Call it once, after the last point. */
  parts(source: BatchSource): DecodedPart[] {
    this.#endResource();
    return this.#services.all().flatMap((sums) => {
      const cumulative = this.#cumulative.get(sums);
      if (sums.size === 0 && cumulative === undefined) return [];
      const deltaBatches = sums.batches(source);
      return {
        service: sums.service,
        sum: (now) => [
          ...(sums.size === 0 ? [] : deltaBatches(now)),
          ...(cumulative === undefined ? [] : cumulativeBatches(cumulative, source, now)),
        ],
      };
    });
  }

  /** Returns why the point does not count: "by design", or a sentence. */
  #add(point: Point): string | undefined {
    const kindOfPoints = point.parent;
    const { parent: metric, as: kind } = kindOfPoints;
    const resource = metric.parent.parent;
    if (resource !== this.#resource) this.#endResource();
    this.#resource = resource;
    const isCounter = kind === "sum" && kindOfPoints.isMonotonic === true;
    const isHistogram = kind === "histogram" || kind === "exponentialHistogram";
    if (!(isCounter || isHistogram) || ((point.flags ?? 0) & NO_VALUE) !== 0) return "by design";
    const ofResource = resource.resource?.attributes;
    const service = ofResource?.get("service.name") ?? point.attributes?.get("service.name");
    if (this.#services.isIgnored(service)) return "by design";
    const name = normaliseName(metric.name ?? "");
    const counted = CATALOGUE.get(name);
    if (counted === undefined) return `The metric ${shown(name)} is none of those that count calls.`;
    if (isCounter !== (counted.adds === "calls"))
      return `The metric ${name} is of an unexpected kind, ${kind}.`;
    const meaning = meaningOf(counted, name, point.attributes, ofResource, this.#settings.kinds);
    if (meaning === null) return "by design";
    if ("reason" in meaning) return meaning.reason;
    const unitMs = UNITS_MS.get(metric.unit || (counted.defaultUnit ?? ""));
    if (isHistogram && unitMs === undefined)
      return `The unit of ${name} is ${shown(metric.unit ?? "")}, not s or ms.`;
    const time = point.timeUnixNano ?? 0;
    if (!(time > 0 && time < Infinity)) return `A point of ${name} has no time.`;
    const read = isCounter ? numberIn(point, name) : histogramIn(point, kind !== "histogram", unitMs!, name);
    if ("reason" in read) return read.reason;
    const sums = this.#services.of(service);
    if ("reason" in sums) return sums.reason;
    if (nameOf(meaning.function) === "") return `A point of ${name} names no function.`;
    const temporality = kindOfPoints.aggregationTemporality;
    if (temporality === DELTA) return this.#addDelta(sums, counted, meaning, time, read.value);
    if (temporality === CUMULATIVE) return this.#addCumulative(sums, counted, meaning, point, read.value);
    return `The metric ${name} has no temporality.`;
  }

  #addDelta(
    sums: SeriesSums,
    counted: CountedMetric,
    meaning: Omit<Meaning, "adds">,
    time: number,
    value: PointValue,
  ): undefined {
    this.#noteCounter(counted);
    const count = typeof value === "number" ? value : countOf(value);
    if (count === 0) return;
    const { module, function: name } = meaning;
    const sum = sums.of(module, name, minuteBefore(time))!;
    sum.items++;
    addPointTo(sum, { ...meaning, adds: counted.adds }, value, time);
    if (counted.adds === "durations") {
      this.#noteHistogram(counted, () => addPointTo(sum, { ...meaning, adds: "calls" }, count, time));
    }
  }

  #addCumulative(
    sums: SeriesSums,
    counted: CountedMetric,
    meaning: Omit<Meaning, "adds">,
    point: Point,
    value: PointValue,
  ): undefined {
    this.#noteCounter(counted);
    if (++this.#cumulativePoints > otlpLimits.seriesPerRequest) {
      throw tooLarge(`The request has more than ${otlpLimits.seriesPerRequest} cumulative data points.`);
    }
    const time = point.timeUnixNano!;
    const start = point.startTimeUnixNano ?? 0;
    const cumulative: CumulativePoint = {
      ...meaning,
      module: nameOf(meaning.module),
      function: nameOf(meaning.function),
      adds: counted.adds,
      stream: streamOf(point),
      // A start that is the time of the point means that the sender does not know it.
      start: start > 0 && start < time ? start : 0,
      time,
      value,
    };
    const bySender = this.#cumulative.get(sums) ?? new Map<string, CumulativePoint[]>();
    this.#cumulative.set(sums, bySender);
    const sender = senderOf(this.#resource!);
    const points = bySender.get(sender);
    if (points) points.push(cumulative);
    else bySender.set(sender, [cumulative]);
    if (counted.adds === "durations") this.#noteHistogram(counted, () => void (cumulative.adds = "both"));
  }

  #noteCounter({ adds, family }: CountedMetric): void {
    if (adds === "calls") this.#counters.add(family);
  }

  #noteHistogram({ family }: CountedMetric, countCalls: () => void): void {
    const ofFamily = this.#histograms.get(family);
    if (ofFamily) ofFamily.push(countCalls);
    else this.#histograms.set(family, [countCalls]);
  }

  /** Histograms without a counter beside them are all that tells how many calls there were. */
  #endResource(): void {
    for (const [family, histograms] of this.#histograms) {
      if (!this.#counters.has(family)) for (const countCalls of histograms) countCalls();
    }
    this.#histograms.clear();
    this.#counters.clear();
  }
}

/** The minute of the last nanosecond before a time in milliseconds, in epoch seconds. */
function minuteBefore(time: number): number {
  return (Math.ceil(time / 60_000) - 1) * 60;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
