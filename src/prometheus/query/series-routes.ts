/** `/api/v1/series`, `/api/v1/labels` and `/api/v1/label/NAME/values`: which series there are. Reads no rollups. */
import type { Context } from "hono";
import type { HttpEnv } from "../../http/route.ts";
import { makeLabels } from "../../promql/labels.ts";
import type { Matcher } from "../../promql/matcher.ts";
import { readFunctions, type SeenFunction } from "../../read/history.ts";
import { type Labels, labelsOf } from "../catalogue.ts";
import { getRoute, postRoute, Truncated } from "./declare.ts";
import { badData, invalidParameter } from "./errors.ts";
import { settingsOf } from "./evaluate.ts";
import { readGauges } from "./gauges.ts";
import { unescapeLabelName } from "./label-names.ts";
import { queryLimits, tooManySamples } from "./limits.ts";
import { limitOf, type Parameters, selectorsOf, timeOf } from "./parameters.ts";
import { selectTemplates } from "./templates.ts";

/** The series of one selector: each of `fixed`, and each of `templates` for each function. */
interface Found {
  fixed: Labels[];
  templates: Labels[];
  functions: SeenFunction[];
}

const PARAMETERS = {
  "match[]": "A selector. Can be given several times.",
  start: "Seconds or RFC 3339.",
  end: "Seconds or RFC 3339.",
  limit: "At most so many results.",
};

const series = {
  path: "/api/v1/series",
  summary: "The label sets of series that match",
  parameters: PARAMETERS,
  async handler(c: Context<HttpEnv>, parameters: Parameters): Promise<unknown> {
    if (!parameters["match[]"]) throw badData("no match[] parameter provided");
    const limit = limitOf(parameters);
    const all = new Map<string, Labels>();
    for (const labels of listSeries(await findSeries(c, parameters))) {
      const sorted = Object.fromEntries(makeLabels(labels));
      all.set(JSON.stringify(sorted), sorted);
      if (all.size > Math.min(limit, queryLimits.maxListed)) break;
    }
    if (all.size > queryLimits.maxListed && limit > queryLimits.maxListed) throw tooManySamples();
    return within([...all.values()], limit);
  },
} as const;

const labelNames = {
  path: "/api/v1/labels",
  summary: "The names of labels",
  parameters: PARAMETERS,
  async handler(c: Context<HttpEnv>, parameters: Parameters): Promise<unknown> {
    const limit = limitOf(parameters);
    const names = new Set<string>();
    for (const { fixed, templates, functions } of await findSeries(c, parameters)) {
      for (const labels of fixed) addNames(names, labels);
      if (functions.length > 0) for (const labels of templates) addNames(names, labels);
      if (templates.length > 0) for (const one of functions) addNames(names, labelsOf(one));
    }
    return within([...names].sort(), limit);
  },
} as const;

const labelValues = {
  path: "/api/v1/label/:name/values",
  summary: "The values of a label",
  parameters: PARAMETERS,
  async handler(
    c: Context<HttpEnv>,
    parameters: Parameters,
    params: Record<string, string>,
  ): Promise<unknown> {
    const name = unescapeLabelName(params["name"]!);
    if (name === "") throw invalidParameter("name", 'invalid label name: ""');
    const limit = limitOf(parameters);
    const values = new Set<string>();
    for (const { fixed, templates, functions } of await findSeries(c, parameters)) {
      for (const labels of fixed) values.add(labels[name] ?? "");
      if (functions.length > 0) for (const labels of templates) values.add(labels[name] ?? "");
      if (templates.length > 0) for (const one of functions) values.add(labelsOf(one)[name] ?? "");
    }
    values.delete("");
    return within([...values].sort(), limit);
  },
} as const;

/** What each selector of `match[]` finds; without any, all there is. */
async function findSeries(c: Context<HttpEnv>, parameters: Parameters): Promise<Found[]> {
  const { target, build, nowMs, forgetAfterMs } = settingsOf(c);
  const startMs = timeOf(parameters, "start", nowMs);
  const endMs = timeOf(parameters, "end", nowMs);
  const selectors: (readonly Matcher[])[] = parameters["match[]"] ? selectorsOf(parameters) : [[]];
  const selections = selectors.map((matchers) => selectTemplates(matchers, target, build));
  const ofFunctions = selections.filter(({ templates }) => templates.some(isOfFunctions));
  const functions =
    ofFunctions.length === 0
      ? []
      : (await readFunctions(c.env, (id) => ofFunctions.some(({ isMatching }) => isMatching(id)))).filter(
          ({ firstSeen, lastSeen }) => firstSeen <= endMs && lastSeen >= startMs - forgetAfterMs,
        );
  return Promise.all(
    selections.map(async ({ templates, isMatching }, i): Promise<Found> => {
      const gauges = templates.filter((template) => template.kind === "gauge");
      const known = await readGauges(c.env, gauges, selectors[i]!, target, nowMs);
      const withName = (some: typeof templates): Labels[] =>
        some.map(({ name, labels }) => ({ __name__: name, ...target, ...labels }));
      return {
        fixed: [
          ...withName(templates.filter(({ kind }) => kind === "constant")),
          ...known.map(({ labels }) => labels),
        ],
        templates: withName(templates.filter(isOfFunctions)),
        functions: functions.filter(isMatching),
      };
    }),
  );
}

function* listSeries(found: readonly Found[]): Generator<Labels> {
  for (const { fixed, templates, functions } of found) {
    yield* fixed;
    for (const labels of templates) for (const one of functions) yield { ...labels, ...labelsOf(one) };
  }
}

const isOfFunctions = ({ kind }: { kind: string }): boolean => kind === "counter" || kind === "native";

function addNames(names: Set<string>, labels: Labels): void {
  for (const name in labels) if (labels[name] !== "") names.add(name);
}

const within = (list: unknown[], limit: number): unknown =>
  list.length > limit ? new Truncated(list.slice(0, limit)) : list;

export const seriesRoutes = [
  getRoute(series),
  postRoute(series),
  getRoute(labelNames),
  postRoute(labelNames),
  getRoute(labelValues),
] as const;
