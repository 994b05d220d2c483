/**
 * Watches a test from outside of the runtime that it runs in: a loop without an end stops that whole, with every timer
 * in it. Bound to the tests as WATCHDOG, by vitest.config.ts.
 */
import { readdir, readFile } from "node:fs/promises";

/** Far above what anything takes that ends, on any machine. */
const SILENT_MS = 30_000;

let timer: NodeJS.Timeout | undefined;

/**
 * Takes the text that says what the test does next, and ends the runtime, with that text, if it says nothing further.
 * An empty text ends the watch, and is answered with how much memory the runtime has, in bytes; null where that is not
 * known.
 */
export async function watch(request: { text(): Promise<string> }): Promise<Response> {
  const text = await request.text();
  clearTimeout(timer);
  if (text === "") return Response.json({ bytes: await memoryOfRuntimes() });
  timer = setTimeout(() => void end(text), SILENT_MS);
  return Response.json({ bytes: null });
}

async function end(text: string): Promise<void> {
  process.stderr.write(
    `\nNothing was answered for ${SILENT_MS / 1000} s, and the runtime is ended.\n${text}\n`,
  );
  for (const pid of await runtimes()) process.kill(pid, "SIGKILL");
}

/** The runtimes that this process has started, where the system tells. */
async function runtimes(): Promise<number[]> {
  const entries = await readdir("/proc").catch((): string[] => []);
  const own = entries.map(async (pid) => {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/.exec(stat) ?? [];
    return name === "workerd" && Number(parent) === process.pid ? [Number(pid)] : [];
  });
  return (await Promise.all(own)).flat();
}

async function memoryOfRuntimes(): Promise<number | null> {
  const sizes = await Promise.all(
    (await runtimes()).map(async (pid) => {
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
    }),
  );
  return sizes.length > 0 ? sizes.reduce((sum, size) => sum + size) : null;
}
