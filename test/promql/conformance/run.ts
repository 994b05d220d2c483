/** Runs promqltest files and says of each evaluation whether it passed. */
import { readdirSync, readFileSync } from "node:fs";
import { type Expression, childrenOf } from "../../../src/promql/ast.ts";
import { query, queryRange } from "../../../src/promql/engine.ts";
import { ParseError, PromqlError } from "../../../src/promql/errors.ts";
import { format } from "../../../src/promql/format.ts";
import { MemorySource } from "../../../src/promql/memory-source.ts";
import { parse } from "../../../src/promql/parser.ts";
import {
  Mismatch,
  compareInstant,
  compareMatrix,
  compareNotes,
  compareVector,
  expectationsOf,
} from "./compare.ts";
import { type Evaluation, parseScript } from "./script.ts";
import { loadInto } from "./storage.ts";

export interface Outcome {
  file: string;
  line: number;
  query: string;
  isRange: boolean;
  hasNative: boolean;
  mustFail: boolean;
  status: "passed" | "failed" | "experimental";
  /** Why it did not pass. */
  reason: string;
}

export const SCRIPTS = new URL("../promqltest/", import.meta.url);

/** The flags of Prometheus' own runner. */
const OPTIONS = { delayedNameRemoval: true } as const;

export const listScripts = (folder = SCRIPTS): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".test"))
    .sort();

export async function runScript(file: string, folder = SCRIPTS): Promise<Outcome[]> {
  const source = new MemorySource();
  const outcomes: Outcome[] = [];
  for (const command of parseScript(readFileSync(new URL(file, folder), "utf8"))) {
    if (command.kind === "clear") source.clear();
    else if (command.kind === "load") loadInto(source, command);
    else outcomes.push({ file, ...(await judge(command, source)) });
  }
  return outcomes;
}

async function judge(evaluation: Evaluation, source: MemorySource): Promise<Omit<Outcome, "file">> {
  const { line, query, stepMs, hasNative } = evaluation;
  const mustFail = expectationsOf(evaluation, "fail").length > 0;
  const outcome = { line, query, isRange: stepMs !== undefined, hasNative, mustFail };
  try {
    await evaluate(evaluation, source);
    return { ...outcome, status: "passed", reason: "" };
  } catch (error) {
    if (error instanceof ParseError && error.experimental) {
      return { ...outcome, status: "experimental", reason: error.reason };
    }
    if (error instanceof Mismatch || error instanceof PromqlError) {
      return { ...outcome, status: "failed", reason: error.message };
    }
    throw error;
  }
}

async function evaluate(evaluation: Evaluation, source: MemorySource): Promise<void> {
  const { query: text, startMs, endMs, stepMs } = evaluation;
  if (expectationsOf(evaluation, "fail").length > 0) return expectFailure(evaluation, source);
  if (stepMs !== undefined) {
    const result = await queryRange(text, startMs, endMs, stepMs, source, OPTIONS);
    compareNotes(evaluation, result);
    return compareMatrix(evaluation, result, startMs, stepMs);
  }
  await evaluateInstant(evaluation, text, endMs, source);
  // What `@` pins to the time of the query has the same value at every other time.
  const pinned = pin(text, endMs);
  if (pinned === undefined) return;
  for (const timeMs of endMs === 0 ? [-1000, 0, 1000] : [-10 * endMs, 0, endMs / 5, endMs, 10 * endMs]) {
    await evaluateInstant(evaluation, pinned, timeMs, source);
  }
}

async function evaluateInstant(
  evaluation: Evaluation,
  text: string,
  timeMs: number,
  source: MemorySource,
): Promise<void> {
  const result = await query(text, timeMs, source, OPTIONS);
  compareNotes(evaluation, result);
  compareInstant(evaluation, result);
  const { matrix, text: expectedText } = evaluation;
  if (matrix || expectedText !== undefined || expectationsOf(evaluation, "ordered").length > 0) return;
  if (result.type !== "vector" && result.type !== "scalar") return;
  // The middle of a range query must be the same.
  const range = await queryRange(text, timeMs - 60_000, timeMs + 60_000, 60_000, source, OPTIONS);
  const samples = range.series.flatMap(({ labels, times, values }) => {
    const at = times.indexOf(timeMs);
    return at === -1 ? [] : [{ labels, value: values[at]! }];
  });
  if (result.type === "vector") compareVector(evaluation, samples);
  else compareInstant(evaluation, { ...result, value: samples[0]!.value as number });
}

/** The query with `@` at every selector and subquery that has none. Undefined if its result depends on the time. */
function pin(text: string, timeMs: number): string | undefined {
  const expression = parse(text);
  let isTimed = false;
  const visit = (node: Expression): void => {
    if (node.kind === "call" && TIMED.test(node.name)) isTimed = true;
    if (node.kind === "selector" || node.kind === "subquery") node.at ??= timeMs;
    if (node.kind !== "subquery") for (const child of childrenOf(node)) visit(child);
  };
  visit(expression);
  return isTimed ? undefined : format(expression);
}

const TIMED = /^(day.*|days_in_month|hour|minute|month|year|predict_linear|time|timestamp)$/;

async function expectFailure(evaluation: Evaluation, source: MemorySource): Promise<void> {
  const { query: text, startMs, endMs, stepMs } = evaluation;
  const { accepts } = expectationsOf(evaluation, "fail")[0]!;
  try {
    await (stepMs === undefined
      ? query(text, endMs, source, OPTIONS)
      : queryRange(text, startMs, endMs, stepMs, source, OPTIONS));
  } catch (error) {
    if (!(error instanceof PromqlError) || (error instanceof ParseError && error.experimental)) throw error;
    if (!accepts || accepts(error.message)) return;
    throw new Mismatch(`expected another error than: ${error.message}`);
  }
  throw new Mismatch("expected an error, got none");
}
