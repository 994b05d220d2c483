/** `npx metrics-collector <command>`: finds the command, runs it, and turns its end into an exit code. */
import { type Command, helpOf, parse } from "./command.ts";
import { commands } from "./commands.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { Failure } from "./failure.ts";
import { installation } from "./installation.ts";

// A reader that has enough, such as `head`, is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(EXIT.done);
});

process.exitCode = await main(process.argv.slice(2));

async function main([name, ...args]: string[]): Promise<ExitCode> {
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    process.stdout.write(`${overview()}\n`);
    return name === undefined ? EXIT.usage : EXIT.done;
  }
  if (name === "--version" || name === "-v") {
    process.stdout.write(`${installation.version}\n`);
    return EXIT.done;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (!command) {
    process.stderr.write(`There is no command "${name}".\n\n${overview()}\n`);
    return EXIT.usage;
  }
  try {
    const { values, positionals } = parse(command, args);
    if (values.help === true) {
      process.stdout.write(`${helpOf(command)}\n`);
      return EXIT.done;
    }
    return await command.run(values, positionals);
  } catch (error) {
    if (!(error instanceof Failure)) {
      process.stderr.write(`${(error as Error)?.stack ?? String(error)}\n`);
      return EXIT.failed;
    }
    process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
}

function overview(): string {
  const width = Math.max(...commands.map((command) => left(command).length)) + 2;
  const list = commands.map((command) => left(command).padEnd(width) + command.summary).join("\n");
  return `MetricsCollector ${installation.version}: calls, durations and errors of functions, on one Cloudflare Worker.

Usage: npx metrics-collector <command> [options]

Commands:
${list}

npx metrics-collector <command> --help explains a command.
Log in with "npx wrangler login", or set CLOUDFLARE_API_TOKEN.`;
}

function left({ name, positionals }: Command): string {
  return `  ${[name, positionals].filter((part) => part !== undefined).join(" ")}`;
}
