/**
 * Our functions as series for the PromQL engine. Counters are integrals: exact at every moment, so that
 * `increase(function_calls_total[1h])` over whole minutes is the number of calls of that hour.
 */
import { PromqlError, executionError } from "../../promql/errors.ts";
import { type Labels as LabelSet, makeLabels } from "../../promql/labels.ts";
import type { Matcher } from "../../promql/matcher.ts";
import type { Hints, Integral, Series, Source } from "../../promql/source.ts";
import { type History, readHistories } from "../../read/history.ts";
import type { ReadBindings } from "../../read/series.ts";
import { floorTo } from "../../stats/interval.ts";
import { MINUTE } from "../../stats/tiers.ts";
import { labelsOf, type SampleGroup } from "../catalogue.ts";
import { readGauges } from "./gauges.ts";
import { queryLimits, tooManySamples } from "./limits.ts";
import { NativeTimeline } from "./native.ts";
import { type Plan, planReading } from "./plan.ts";
import { Reading } from "./reading.ts";
import {
  type ConstantTemplate,
  type CounterTemplate,
  type GaugeTemplate,
  type NativeTemplate,
  selectTemplates,
  type Target,
  type Template,
} from "./templates.ts";
import { Timeline } from "./timeline.ts";

export interface SourceSettings {
  target: Target;
  /** Labels of `build_info`. */
  build: Record<string, string>;
  nowMs: number;
  /** Functions without a call for this long are left out. */
  forgetAfterMs: number;
}

const MINUTE_MS = MINUTE * 1000;
type FunctionTemplate = CounterTemplate | NativeTemplate;

/** Answers the selectors of one query. Dispose it when the query has ended. */
export class CollectorSource implements Source, Disposable {
  readonly #env: ReadBindings & Pick<Env, "SINKS">;
  readonly #settings: SourceSettings;
  readonly #reading = new Reading();
  /** Selectors are read one after the other, because each may need much memory on the way. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(env: ReadBindings & Pick<Env, "SINKS">, settings: SourceSettings) {
    this.#env = env;
    this.#settings = settings;
  }

  [Symbol.dispose](): void {
    this.#reading[Symbol.dispose]();
  }

  select(
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
    hints: Hints,
  ): Promise<readonly Series[]> {
    const read = () => this.#read(matchers, fromMs, toMs, hints);
    const series = this.#last.then(read);
    this.#last = series.catch(() => undefined);
    return series;
  }

  async #read(
    matchers: readonly Matcher[],
    fromMs: number,
    toMs: number,
    hints: Hints,
  ): Promise<readonly Series[]> {
    const { target, build, nowMs } = this.#settings;
    const { templates, isMatching } = selectTemplates(matchers, target, build);
    if (toMs < 0) return [];
    const plan = planReading(fromMs, toMs, hints, nowMs, queryLimits.maxSamples);
    const constants = templates.filter((template) => template.kind === "constant");
    const gauges = templates.filter((template) => template.kind === "gauge");
    const ofFunctions = templates.filter(isOfFunctions);
    return [
      ...constants.map((template) => this.#constant(template, fromMs, toMs)),
      ...(fromMs <= nowMs && toMs >= nowMs - queryLimits.gaugeAgeMs
        ? await this.#readGauges(gauges, matchers)
        : []),
      ...(ofFunctions.length > 0
        ? await this.#readFunctions(ofFunctions, isMatching, fromMs, plan, hints)
        : []),
    ];
  }

  #labels({ name, labels }: Template, own: Record<string, string> = {}): LabelSet {
    return makeLabels({ __name__: name, ...this.#settings.target, ...labels, ...own });
  }

  /** One sample at the end of each minute, until now, as if it were scraped each minute. */
  #constant(template: ConstantTemplate, fromMs: number, toMs: number): Series {
    const first = Math.ceil(Math.max(0, fromMs) / MINUTE_MS);
    const last = Math.floor(Math.min(toMs, this.#settings.nowMs) / MINUTE_MS);
    const count = Math.max(0, last - first + 1);
    this.#reading.add(0, 2 * count);
    const times = Float64Array.from({ length: count }, (_, i) => (first + i) * MINUTE_MS);
    return { labels: this.#labels(template), times, values: new Float64Array(count).fill(1) };
  }

  /** What is known now only is one sample. */
  async #readGauges(gauges: readonly GaugeTemplate[], matchers: readonly Matcher[]): Promise<Series[]> {
    const { target, nowMs } = this.#settings;
    const times = [floorTo(nowMs, queryLimits.gaugeAgeMs)];
    const found = await readGauges(this.#env, gauges, matchers, target, nowMs);
    return found.map(({ labels, value }) => ({
      labels: makeLabels(labels),
      times,
      values: Float64Array.of(value),
    }));
  }

  async #readFunctions(
    templates: readonly FunctionTemplate[],
    isMatching: Parameters<typeof readHistories>[1]["isMatching"],
    fromMs: number,
    { range, step, samplesAt }: Plan,
    { signal, maxSeries }: Hints,
  ): Promise<Series[]> {
    const { nowMs, forgetAfterMs } = this.#settings;
    const accept = (functions: number): void => {
      if (functions * templates.length > maxSeries) {
        throw executionError(`selector matches more than ${maxSeries} series, add matchers to it`);
      }
      if ((samplesAt?.length ?? 0) * functions * templates.length > queryLimits.maxSamples)
        throw tooManySamples();
    };
    const histories = readHistories(this.#env, {
      isMatching,
      range,
      step,
      withBuckets: templates.some((template) => template.kind === "native" || template.group.needsBuckets),
      since: samplesAt !== undefined,
      now: nowMs,
      accept,
    });
    const lastMs = samplesAt?.at(-1) ?? range.to * 1000;
    const all: Series[] = [];
    for await (const history of histories) {
      if (signal?.aborted) throw new PromqlError("canceled", "query was canceled in expression evaluation");
      if (history.lastSeen < fromMs - forgetAfterMs) continue;
      const beginMs = floorTo(history.firstSeen, MINUTE_MS);
      if (beginMs > lastMs) continue;
      for (const [template, integral] of this.#integrals(templates, history, beginMs)) {
        all.push(seriesOf(this.#labels(template, labelsOf(history)), integral, samplesAt));
      }
    }
    return all;
  }

  *#integrals(
    templates: readonly FunctionTemplate[],
    history: History,
    fromMs: number,
  ): Generator<[FunctionTemplate, Integral]> {
    const { nowMs } = this.#settings;
    const { spans, totals } = history;
    const timelines = new Map<SampleGroup, Timeline>();
    const timelineOf = (group: SampleGroup): Timeline => {
      const known = timelines.get(group);
      if (known) return known;
      const columns = group.samples.length;
      this.#reading.add(timelines.size === 0 ? spans.length : 0, spans.length * columns);
      const timeline = new Timeline(spans, totals, group.write, columns, nowMs);
      timelines.set(group, timeline);
      return timeline;
    };
    for (const template of templates) {
      if (template.kind === "native") {
        const native = new NativeTimeline(spans, totals, nowMs);
        this.#reading.add(spans.length, spans.length * native.columns);
        yield [template, { fromMs, valueAt: (timeMs) => native.valueAt(timeMs) }];
      } else {
        const { column, divisor } = template;
        const timeline = timelineOf(template.group);
        yield [template, { fromMs, valueAt: (timeMs) => timeline.valueAt(column, timeMs) / divisor }];
      }
    }
  }
}

function seriesOf(labels: LabelSet, integral: Integral, samplesAt: number[] | undefined): Series {
  if (!samplesAt) return { labels, times: [], values: new Float64Array(0), integral };
  const first = samplesAt.findIndex((timeMs) => timeMs >= integral.fromMs);
  const times = first === -1 ? [] : first === 0 ? samplesAt : samplesAt.slice(first);
  const values = times.map((timeMs) => integral.valueAt(timeMs));
  const areNumbers = typeof values[0] === "number";
  return { labels, times, values: areNumbers ? Float64Array.from(values as number[]) : values, integral };
}

const isOfFunctions = (template: Template): template is FunctionTemplate =>
  template.kind === "counter" || template.kind === "native";
