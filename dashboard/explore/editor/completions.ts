/** Completes names of metrics, labels, values and functions, as Prometheus' own page does. */
import type { CompletionContext, CompletionSource } from "@codemirror/autocomplete";
import { newCompleteStrategy } from "@prometheus-io/codemirror-promql";
import { EXPERIMENTAL_FUNCTIONS } from "../../../src/promql/functions/registry.ts";
import { EXPERIMENTAL_AGGREGATIONS } from "../../../src/promql/operators.ts";

export type FetchFn = (input: RequestInfo, init?: RequestInit) => Promise<Response>;

/** What the editor knows and the server refuses. */
const REFUSED: ReadonlySet<string> = new Set([
  ...EXPERIMENTAL_FUNCTIONS,
  ...EXPERIMENTAL_AGGREGATIONS,
  "fill",
  "fill_left",
  "fill_right",
  "step()",
  "range()",
  "min_of(, )",
  "max_of(, )",
]);
/** The kinds of words of the language. Metrics and labels may have any name. */
const WORDS: ReadonlySet<string | undefined> = new Set(["function", "aggregation", "keyword", "snippet"]);

export function completions(fetch: FetchFn): CompletionSource {
  const strategy = newCompleteStrategy({ remote: { fetchFn: fetch, httpMethod: "GET" } });
  return async (context: CompletionContext) => {
    const found = await strategy.promQL(context);
    if (!found) return null;
    const options = found.options.filter(({ type, label }) => !WORDS.has(type) || !REFUSED.has(label));
    return { ...found, options };
  };
}
