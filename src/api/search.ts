/** `GET /search`: functions and failures by words and parts of words, the best first. */
import * as z from "zod";
import { limits } from "../limits.ts";
import { type Delta, functionKey, type FunctionTotals, sumByFunction } from "../stats/delta.ts";
import { failuresWith, type FoundFailure, type FoundFunction, functionsWith } from "../store/search.ts";
import { readExact } from "../read/exact.ts";
import { Identity, Seen, seen } from "./function-metrics.ts";
import { highlight, Snippet } from "./highlight.ts";
import { wholeNumber, Words } from "../http/parameters.ts";
import { containsAll, wordsOf } from "../read/words.ts";

const DEFAULT_RESULTS = 20;

export const SearchParameters = z.strictObject({
  q: Words.meta({
    description:
      "Words, or parts of them, in any case of letters: each is in the service, the module, the function or the failure. " +
      "No character has a meaning but its own.",
  }),
  limit: wholeNumber(1, limits.searchResults)
    .optional()
    .meta({ description: `${DEFAULT_RESULTS} if left out.` }),
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
});
export type SearchResults = z.infer<typeof SearchResults>;
type Result = SearchResults["results"][number];

export async function search(
  env: Pick<Env, "BUFFER" | "DB">,
  { q, limit = DEFAULT_RESULTS }: z.infer<typeof SearchParameters>,
): Promise<SearchResults> {
  const words = wordsOf(q);
  if (words.length === 0) return { results: [] };
  const { stored, unapplied } = await readExact(env, [functionsWith(words), failuresWith(words)]);
  const ranked = [
    ...withUnappliedFunctions(stored[0], unapplied, words).map((row) => functionResult(row, words)),
    ...withUnappliedFailures(stored[1], unapplied, words).map((row) => failureResult(row, words)),
  ].sort((a, b) => b.rank - a.rank || b.result.calls - a.result.calls || compare(a.result, b.result));
  return { results: ranked.slice(0, limit).map(({ result }) => result) };
}

function withUnappliedFunctions(
  stored: readonly FoundFunction[],
  unapplied: readonly Delta[],
  words: readonly string[],
): FoundFunction[] {
  const known = new Set(stored.map(functionKey));
  const found = unapplied.filter(
    (delta) =>
      known.has(functionKey(delta)) ||
      containsAll(`${delta.service} ${delta.module} ${delta.function}`, words),
  );
  const parts: FunctionTotals[] = [
    ...stored.map((row) => ({ ...row, unmeasured: 0, sumUs: 0, minMs: null, maxMs: null, buckets: [] })),
    ...found.map((delta) => ({ ...delta, buckets: [] })),
  ];
  return sumByFunction(parts);
}

function withUnappliedFailures(
  stored: readonly FoundFailure[],
  unapplied: readonly Delta[],
  words: readonly string[],
): FoundFailure[] {
  const keyOf = (row: FoundFailure) => `${functionKey(row)}\n${row.name}\n${row.message}`;
  const all = new Map(stored.map((row) => [keyOf(row), { ...row }]));
  for (const { service, module, function: name, failures, firstSeen, lastSeen } of unapplied) {
    for (const failure of failures) {
      const row = { service, module, function: name, ...failure, firstSeen, lastSeen };
      const known = all.get(keyOf(row));
      if (known) {
        known.calls += row.calls;
        known.firstSeen = Math.min(known.firstSeen, firstSeen);
        known.lastSeen = Math.max(known.lastSeen, lastSeen);
      } else if (isFailureWith(row, words)) {
        all.set(keyOf(row), row);
      }
    }
  }
  return [...all.values()];
}

function isFailureWith(row: FoundFailure, words: readonly string[]): boolean {
  const own = `${row.name} ${row.message}`;
  return (
    containsAll(`${own} ${row.service} ${row.module} ${row.function}`, words) &&
    words.some((word) => containsAll(own, [word]))
  );
}

function functionResult(row: FoundFunction, words: readonly string[]): { rank: number; result: Result } {
  const { service, module, function: name, calls, errors } = row;
  const path = [service, module, name].filter((part) => part !== "").join(" ");
  const result: Result = {
    kind: "function",
    service,
    module,
    function: name,
    snippet: highlight(path, words),
    calls,
    errors,
    ...seen(row),
  };
  return { rank: 1 + rankOf(name, words), result };
}

function failureResult(row: FoundFailure, words: readonly string[]): { rank: number; result: Result } {
  const { service, module, function: name, calls } = row;
  const failure = { name: row.name, message: row.message };
  const text = `${row.name}: ${row.message}`;
  const result: Result = {
    kind: "failure",
    service,
    module,
    function: name,
    failure,
    snippet: highlight(text, words),
    calls,
    ...seen(row),
  };
  return { rank: rankOf(text, words), result };
}

/** How well the words name the text: all of it, its beginning, the beginning of a word in it, or any part of it. */
function rankOf(text: string, words: readonly string[]): number {
  const folded = text.toLowerCase();
  const scores = words.map((word) => {
    const at = folded.indexOf(word);
    if (at < 0) return 0;
    if (folded === word) return 8;
    if (at === 0) return 6;
    return isWordStart(text, at) ? 4 : 2;
  });
  return scores.reduce((sum: number, score) => sum + score, 0) / words.length;
}

/** After anything that is no letter nor digit, and at a capital after a small letter, as in chargeCard. */
function isWordStart(text: string, at: number): boolean {
  const [before, first] = [text.charAt(at - 1), text.charAt(at)];
  return !/[\p{L}\p{N}]/u.test(before) || (/\p{Ll}/u.test(before) && /\p{Lu}/u.test(first));
}

function compare(a: Result, b: Result): number {
  return functionKey(a) < functionKey(b) ? -1 : 1;
}
