/** Parses a promqltest file into its commands. README.md of the files describes the format. */
import { parseDuration } from "../../../src/promql/literals.ts";
import { unquote } from "../../../src/promql/literals.ts";
import type { Labels } from "../../../src/promql/labels.ts";
import { type Point, parseFloatText, parseMetric, parsePoints, splitMetric } from "./notation.ts";

export interface LoadedSeries {
  labels: Labels;
  points: Point[];
  /** When the counter of each sample began, relative to it in milliseconds. Undefined if unknown. */
  starts: (number | undefined)[] | undefined;
}

export interface Load {
  kind: "load";
  stepMs: number;
  /** Classic histograms are stored as native ones with custom buckets as well. */
  withNative: boolean;
  series: LoadedSeries[];
}

export interface Expectation {
  type: "ordered" | "fail" | "warn" | "no_warn" | "info" | "no_info";
  /** Undefined accepts every text. */
  accepts: ((text: string) => boolean) | undefined;
}

export interface Evaluation {
  kind: "eval";
  line: number;
  query: string;
  /** Undefined for an instant query at `endMs`. */
  stepMs: number | undefined;
  startMs: number;
  endMs: number;
  expectations: Expectation[];
  series: { labels: Labels; points: Point[] }[];
  scalar: number | undefined;
  text: string | undefined;
  /** The times of an expected range vector. */
  matrix: { startMs: number; stepMs: number } | undefined;
  /** Whether its data or its expected results contain native histograms. */
  hasNative: boolean;
}

export type Command = Load | Evaluation | { kind: "clear" };

export function parseScript(text: string): Command[] {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .map((line) => (line.startsWith("#") ? "" : line));
  const commands: Command[] = [];
  let hasNative = false;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    if (line === "") continue;
    const begin = at;
    const body: string[] = [];
    while (lines[at + 1]) body.push(lines[++at]!);
    if (line === "clear") {
      // The rest of the block is a block of its own.
      at = begin;
      hasNative = false;
      commands.push({ kind: "clear" });
    } else if (line.startsWith("load")) {
      const load = parseLoad(line, body);
      hasNative ||= load.withNative || body.some((one) => one.includes("{{"));
      commands.push(load);
    } else if (line.startsWith("eval")) {
      const { evaluation, used } = parseEvaluation(line, begin + 1, body);
      evaluation.hasNative = hasNative || body.some((one) => one.includes("{{"));
      at = begin + used;
      commands.push(evaluation);
    } else throw new Error(`Line ${begin + 1} is no command: ${line}`);
  }
  return commands;
}

function durationOf(text: string): number {
  if (text === "0") return 0;
  const durationMs = parseDuration(text);
  if (durationMs === undefined) throw new Error(`"${text}" is no duration.`);
  return durationMs;
}

function parseLoad(line: string, body: string[]): Load {
  const [, native, step] = /^load(_with_nhcb)?\s+(\S+)$/.exec(line)!;
  const series: LoadedSeries[] = [];
  let starts: (number | undefined)[] | undefined;
  for (const one of body) {
    const { metric, rest } = splitMetric(one);
    if (metric.endsWith("@st")) {
      starts = rest.split(/\s+/).flatMap(parseStarts);
      continue;
    }
    series.push({ labels: parseMetric(metric), points: parsePoints(rest), starts });
    starts = undefined;
  }
  return { kind: "load", stepMs: durationOf(step!), withNative: native !== undefined, series };
}

/** `_`, `_xN`, `D`, `DxN`, `D+ExN` with durations D and E. */
function parseStarts(item: string): (number | undefined)[] {
  const gaps = /^_(?:x(\d+))?$/.exec(item);
  if (gaps) return Array.from({ length: Number(gaps[1] ?? 1) }, () => undefined);
  const parts = /^([+-]?)(\d+[a-w]*)(?:([+-])(\d+[a-w]*))?(?:x(\d+))?$/.exec(item);
  if (!parts) throw new Error(`"${item}" is no start time.`);
  const first = durationOf(parts[2]!) * (parts[1] === "-" ? -1 : 1);
  const step = parts[4] === undefined ? 0 : durationOf(parts[4]) * (parts[3] === "-" ? -1 : 1);
  return Array.from({ length: 1 + Number(parts[5] ?? 0) }, (_, index) => first + index * step);
}

const INSTANT = /^eval(?:_(fail|warn|ordered|info))?\s+instant\s+at\s+(\S+)\s+(.+)$/;
const RANGE = /^eval(?:_(fail|warn|info))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+)$/;

function parseEvaluation(
  line: string,
  number: number,
  body: string[],
): { evaluation: Evaluation; used: number } {
  const range = RANGE.exec(line);
  const instant = range ? null : INSTANT.exec(line);
  const mode = (range ?? instant)?.[1] as Expectation["type"] | undefined;
  if (!range && !instant) throw new Error(`Line ${number} is no evaluation: ${line}`);
  const evaluation: Evaluation = {
    kind: "eval",
    line: number,
    query: range ? range[5]! : instant![3]!,
    stepMs: range ? durationOf(range[4]!) : undefined,
    startMs: durationOf(range ? range[2]! : instant![2]!),
    endMs: durationOf(range ? range[3]! : instant![2]!),
    expectations: mode ? [{ type: mode, accepts: undefined }] : [],
    series: [],
    scalar: undefined,
    text: undefined,
    matrix: undefined,
    hasNative: false,
  };
  let used = 0;
  for (const one of body) {
    used++;
    if (!readExpectation(evaluation, one)) break;
  }
  return { evaluation, used };
}

/** Returns false where the format says that nothing may follow. */
function readExpectation(evaluation: Evaluation, line: string): boolean {
  const failure = /^expected_fail_(message|regexp)\s+(.*)$/.exec(line);
  if (failure) {
    const accepts = acceptorOf(failure[1] === "message" ? "msg" : "regex", failure[2]!);
    evaluation.expectations = [{ type: "fail", accepts }];
    return false;
  }
  const matrix = /^expect range vector\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)$/.exec(line);
  if (matrix) {
    evaluation.matrix = { startMs: durationOf(matrix[1]!), stepMs: durationOf(matrix[3]!) };
    evaluation.startMs = evaluation.endMs = durationOf(matrix[2]!);
    return true;
  }
  const text = /^expect string\s+(.+)$/.exec(line);
  if (text) {
    evaluation.text = unquote(text[1]!);
    return true;
  }
  const expect = /^expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?$/.exec(line);
  if (expect) {
    const accepts = expect[2] === undefined ? undefined : acceptorOf(expect[2], expect[3]!);
    evaluation.expectations.push({ type: expect[1] as Expectation["type"], accepts });
    return true;
  }
  if (/^[+-]?(\d|\.\d|inf|nan)/i.test(line) && !/\s/.test(line)) {
    evaluation.scalar = parseFloatText(line);
    return false;
  }
  const { metric, rest } = splitMetric(line);
  evaluation.series.push({ labels: parseMetric(metric), points: parsePoints(rest) });
  return true;
}

function acceptorOf(kind: string, expected: string): (text: string) => boolean {
  const wanted = expected.trim();
  if (kind === "msg") return (text) => text === wanted;
  const pattern = new RegExp(wanted);
  return (text) => pattern.test(text);
}
