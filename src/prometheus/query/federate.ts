/** `GET /federate?match[]=`: the present values of series that match, for another Prometheus. */
import type { Labels as LabelSet } from "../../promql/labels.ts";
import { METRIC_NAME } from "../../promql/labels.ts";
import type { Hints } from "../../promql/source.ts";
import { CONTENT_TYPES, line } from "../exposition.ts";
import { getRoute } from "./declare.ts";
import { settingsOf } from "./evaluate.ts";
import { queryLimits } from "./limits.ts";
import { selectorsOf } from "./parameters.ts";
import { CollectorSource } from "./source.ts";

/**
 * Values have no timestamps: they are of now, with all calls so far, as in `GET /metrics`. A value at the last full minute
 * would change when late calls come, which Prometheus rejects for a sample that it has.
 */
const federate = getRoute({
  path: "/federate",
  summary: "Present values of series that match, for another Prometheus",
  parameters: { "match[]": "A selector. Can be given several times." },
  async handler(c, parameters) {
    const settings = settingsOf(c);
    const { nowMs } = settings;
    const source = new CollectorSource(c.env, settings);
    const lines = new Map<string, string[]>();
    try {
      for (const matchers of selectorsOf(parameters)) {
        const hints: Hints = { ...NOW, signal: c.req.raw.signal };
        for (const { labels, values, integral } of await source.select(
          matchers,
          nowMs - NOW_MS,
          nowMs,
          hints,
        )) {
          const value = integral ? integral.valueAt(nowMs) : values[values.length - 1];
          // The text format has no native histograms.
          if (typeof value !== "number") continue;
          const name = labels.get(METRIC_NAME)!;
          const text = line(name, withoutName(labels), value);
          const known = lines.get(name) ?? [`# TYPE ${name} untyped\n`];
          if (!known.includes(text)) known.push(text);
          lines.set(name, known);
        }
      }
    } finally {
      source[Symbol.dispose]();
    }
    const text = [...lines.keys()]
      .sort()
      .flatMap((name) => lines.get(name)!)
      .join("");
    return c.body(text, 200, { "Content-Type": CONTENT_TYPES.prometheus });
  },
});

/** Values may be that old. */
const NOW_MS = 5 * 60_000;

const NOW: Omit<Hints, "signal"> = {
  stepMs: 0,
  inSubquery: false,
  function: "",
  rangeMs: 0,
  aggregation: undefined,
  maxSeries: queryLimits.maxSeries,
};

const withoutName = (labels: LabelSet): Record<string, string> => {
  const { [METRIC_NAME]: _, ...others } = Object.fromEntries(labels);
  return others;
};

export const federateRoutes = [federate] as const;
