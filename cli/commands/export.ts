/** `metrics-collector export`. */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import type { Writable } from "node:stream";
import { type Command, COMMON_OPTIONS, selectionOf, type Values } from "../command.ts";
import { count } from "../count.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { readFunctions, readRows } from "../export/read-rows.ts";
import { parseTime, windowsOf } from "../export/windows.ts";
import { type Format, FORMATS, HEADS, writeRow } from "../export/write-row.ts";
import { Failure } from "../failure.ts";
import { openCloud } from "../installed.ts";
import { Output } from "../output.ts";
import { type Reader, readerOf } from "../worker-address.ts";

export const exportCommand: Command = {
  name: "export",
  summary: "write the figures of each function over time as CSV or JSON lines",
  positionals: "[FILE]",
  help: `
Writes a row for each function and each minute in which it was called; for time that is older than 48 hours a row for
each hour, and for time older than 90 days a row for each day. Includes what is still in the buffer. Without FILE, the rows
go to stdout.

  npx metrics-collector export --from 7d calls.csv
  npx metrics-collector export --url http://127.0.0.1:8787 --format ndjson --from 2026-11-01 --to 2026-12-01`,
  options: {
    ...COMMON_OPTIONS,
    format: { type: "string", value: "FORMAT", help: "csv (the default) or ndjson." },
    from: {
      type: "string",
      value: "TIME",
      help: "A date, a time in ISO 8601, or an age such as 30m, 12h, 7d. Default: 24h.",
    },
    to: { type: "string", value: "TIME", help: "Likewise. Default: now." },
    url: {
      type: "string",
      value: "URL",
      help: "Of a server, instead of the one in the account. Its token, if it needs one, is METRICS_COLLECTOR_TOKEN.",
    },
  },
  run,
};

async function run(values: Values, [file, ...others]: string[]): Promise<ExitCode> {
  if (others.length > 0) throw usage("Give one file at most.");
  const output = new Output({ json: values["json"] === true, yes: values["yes"] === true });
  const format = (values["format"] ?? "csv") as Format;
  if (!FORMATS.includes(format)) throw usage(`--format is ${format}. It must be csv or ndjson.`);
  const now = Date.now();
  const [from, to] = [timeOf(values, "from", "24h", now), timeOf(values, "to", "0m", now)];
  if (from >= to) throw usage("--from must be before --to.");
  const reader = await readerFor(values, output);
  const functions = await readFunctions(reader, { from, to });
  // Under another name until it is complete, so that a file that was cut off is not taken for a whole one.
  const part = file === undefined ? undefined : `${file}.part`;
  const target = part === undefined ? process.stdout : createWriteStream(part);
  let rows = 0;
  try {
    await write(target, HEADS[format]);
    for (const [i, named] of functions.entries()) {
      output.progress(`${i} of ${count(functions.length, "function")}, ${count(rows, "row")}`);
      for (const window of windowsOf(from, to, now)) {
        for await (const row of readRows(reader, named, window)) {
          await write(target, writeRow(row, format));
          rows++;
        }
      }
    }
    output.endProgress();
    if (part === undefined) return EXIT.done;
    target.end();
    await once(target, "close");
    await rename(part, file!);
  } catch (error) {
    if (part !== undefined) await rm(part, { force: true });
    throw error;
  }
  output.print(`${file} has ${count(rows, "row")} of ${count(functions.length, "function")}.`);
  output.result({ file, rows, functions: functions.length });
  return EXIT.done;
}

async function readerFor(values: Values, output: Output): Promise<Reader> {
  const { url } = values;
  if (typeof url !== "string") return readerOf(await openCloud(selectionOf(values), output));
  if (!URL.canParse(url)) throw usage(`--url is ${url}, which is not a URL.`);
  return { url, token: process.env["METRICS_COLLECTOR_TOKEN"] };
}

function timeOf(values: Values, option: "from" | "to", otherwise: string, now: number): number {
  const text = values[option] ?? otherwise;
  const time = parseTime(String(text), now);
  if (time === undefined) {
    throw usage(
      `--${option} is ${String(text)}. It must be a date such as 2026-11-28, a time in ISO 8601, or an age such as 7d.`,
    );
  }
  return time;
}

async function write(target: Writable, text: string): Promise<void> {
  if (!target.write(text)) await once(target, "drain");
}

function usage(problem: string): Failure {
  return new Failure(`${problem} See: npx metrics-collector export --help`, EXIT.usage);
}
