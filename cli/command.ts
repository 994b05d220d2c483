/** What a command is: its options, its help, and what it does. */
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { EXIT, EXIT_CODES_HELP, type ExitCode } from "./exit-codes.ts";
import { Failure } from "./failure.ts";

export interface Option {
  type: "string" | "boolean";
  short?: string;
  multiple?: boolean;
  /** The value's name in the help, for options that take one. */
  value?: string;
  help: string;
}

export type Values = Record<string, string | boolean | string[] | undefined>;

export interface Command {
  name: string;
  /** One line, for the list of commands. */
  summary: string;
  /** What follows the command's name, such as "FILE". */
  positionals?: string;
  /** Paragraphs of the command's own `--help`. */
  help: string;
  options: Record<string, Option>;
  run(values: Values, positionals: string[]): Promise<ExitCode>;
}

export const COMMON_OPTIONS = {
  name: {
    type: "string",
    value: "NAME",
    help: 'Name of the Worker, its database and its queues. Default: "metrics-collector".',
  },
  account: {
    type: "string",
    value: "ID",
    help: "Cloudflare account, by id or exact name. Needed only if the login has several.",
  },
  json: { type: "boolean", help: "Print one JSON document to stdout; progress goes to stderr." },
  yes: { type: "boolean", short: "y", help: "Ask nothing: answer every question with yes." },
  help: { type: "boolean", short: "h", help: "Print this help." },
} as const satisfies Record<string, Option>;

/** @throws {Failure} "usage" with a sentence that names the argument */
export function parse(command: Command, args: string[]): { values: Values; positionals: string[] } {
  const options: ParseArgsOptionsConfig = {};
  for (const [name, { type, short, multiple }] of Object.entries(command.options)) {
    options[name] = {
      type,
      ...(short === undefined ? {} : { short }),
      ...(multiple === undefined ? {} : { multiple }),
    };
  }
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true, strict: true });
    return { values: values as Values, positionals };
  } catch (error) {
    const [sentence = ""] = (error as Error).message.split(". ");
    throw new Failure(
      `${sentence.replace(/\.$/, "")}. See: npx metrics-collector ${command.name} --help`,
      EXIT.usage,
      { cause: error },
    );
  }
}

/** Which installation a command is for. */
export function selectionOf(values: Values): { name: string | undefined; account: string | undefined } {
  const text = (value: Values[string]) => (typeof value === "string" ? value : undefined);
  return { name: text(values["name"]), account: text(values["account"]) };
}

export function helpOf({ name, positionals, help, options }: Command): string {
  const rows = Object.entries(options).map(([option, { short, value, help: text }]) => {
    const letter = short === undefined ? "    " : `-${short}, `;
    return { left: `  ${letter}--${option}${value === undefined ? "" : ` ${value}`}`, text };
  });
  const width = Math.max(...rows.map(({ left }) => left.length)) + 2;
  const usage = ["npx metrics-collector", name, positionals, "[options]"].filter(Boolean).join(" ");
  const list = rows.map(({ left, text }) => left.padEnd(width) + text).join("\n");
  return `Usage: ${usage}\n\n${help.trim()}\n\nOptions:\n${list}\n\n${EXIT_CODES_HELP}`;
}
