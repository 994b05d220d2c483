/** `GET /search`: functions and failures by words and parts of words, the best match first. */
import * as z from "zod";
import { wholeNumber, Words } from "../http/parameters.ts";
import { READ_ERRORS, route } from "../http/route.ts";
import { fold } from "../stats/fold.ts";
import { find } from "../read/found.ts";
import type { ReadBindings } from "../read/series.ts";
import { findSimilar } from "../read/similar.ts";
import { containsAll, marksOf, type Word, wordsOf } from "../read/words.ts";
import type { FoundFailure, FoundFunction } from "../store/search.ts";
import { Identity, Seen, seen } from "./function-metrics.ts";
import { highlight, Snippet } from "./highlight.ts";
import { limits } from "./limits.ts";
import { seriesKey } from "../stats/series-id.ts";

export const SearchParameters = z.strictObject({
  q: Words.meta({
    description:
      "Words or parts of words, in any letter case and with any separators: charge_card finds chargeCard. Each is " +
      "contained in the service, the module, the function or the failure. A `*` in a word also stands for any characters.",
  }),
  limit: wholeNumber(1, limits.searchResults)
    .optional()
    .meta({ description: `${limits.defaultSearchResults} if left out.` }),
});

const found = { ...Identity.shape, snippet: Snippet, calls: z.int(), ...Seen.shape };

export const SearchResults = z.object({
  results: z.array(
    z.discriminatedUnion("kind", [
      z.object({ kind: z.literal("function"), ...found, errors: z.int() }),
      z.object({
        kind: z.literal("failure"),
        ...found,
        failure: z.object({ name: z.string(), message: z.string() }),
      }),
    ]),
  ),
  didYouMean: z.array(z.string()).meta({
    description: "If there are no results: names of functions that differ from `q` in a few characters.",
  }),
});
export type SearchResults = z.infer<typeof SearchResults>;
type Result = SearchResults["results"][number];

export const searchRoute = route({
  method: "get",
  path: "/search",
  right: "read",
  summary: "Functions and failures by words and parts of words, the best match first",
  query: SearchParameters,
  answer: SearchResults,
  errors: READ_ERRORS,
  handler: (c, { query }) => search(c.env, query),
});

async function search(
  env: ReadBindings,
  { q, limit = limits.defaultSearchResults }: z.output<typeof SearchParameters>,
): Promise<SearchResults> {
  const words = wordsOf(q);
  if (words.length === 0) return { results: [], didYouMean: [] };
  const { functions, failures } = await find(env, words);
  const ranked = [
    ...functions.map((row) => functionResult(row, words)),
    ...failures.map((row) => failureResult(row, words)),
  ].sort((a, b) => b.rank - a.rank || b.result.calls - a.result.calls || compare(a.result, b.result));
  return {
    results: ranked.slice(0, limit).map(({ result }) => result),
    didYouMean: ranked.length === 0 ? await findSimilar(env, words) : [],
  };
}

function functionResult(row: FoundFunction, words: readonly Word[]): { rank: number; result: Result } {
  const { service, module, function: name, calls, errors } = row;
  const path = [service, module, name].filter((part) => part !== "").join(" ");
  const result: Result = {
    kind: "function",
    service,
    module,
    function: name,
    snippet: highlight(path, marksOf(path, words)),
    calls,
    errors,
    ...seen(row),
  };
  return { rank: 1 + rankOf(name, words), result };
}

function failureResult(row: FoundFailure, words: readonly Word[]): { rank: number; result: Result } {
  const { service, module, function: name, calls } = row;
  const failure = { name: row.name, message: row.message };
  const text = `${row.name}: ${row.message}`;
  const result: Result = {
    kind: "failure",
    service,
    module,
    function: name,
    failure,
    snippet: highlight(text, marksOf(text, words)),
    calls,
    ...seen(row),
  };
  return { rank: rankOf(text, words), result };
}

/** Rank of a match: exact, prefix, word prefix, another spelling, substring. */
function rankOf(text: string, words: readonly Word[]): number {
  const folded = fold(text);
  const scores = words.map((word) => {
    const at = folded.indexOf(word.text);
    if (at < 0) return containsAll(text, [word]) ? 3 : 0;
    if (folded === word.text) return 8;
    if (at === 0) return 6;
    return isWordStart(text, at) ? 4 : 2;
  });
  return scores.reduce((sum: number, score) => sum + score, 0) / words.length;
}

/** Whether a word starts at `at`: after a character other than a letter or digit, or at a capital as in chargeCard. */
function isWordStart(text: string, at: number): boolean {
  const [before, first] = [text.charAt(at - 1), text.charAt(at)];
  return !/[\p{L}\p{N}]/u.test(before) || (/\p{Ll}/u.test(before) && /\p{Lu}/u.test(first));
}

function compare(a: Result, b: Result): number {
  return seriesKey(a) < seriesKey(b) ? -1 : 1;
}
