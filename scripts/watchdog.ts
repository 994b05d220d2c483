/**
 * Ends a test whose code loops for ever. Such a loop also stops every timer in the test's runtime, so the watchdog runs
 * outside of it, in Node. vitest.config.ts binds it to the tests as WATCHDOG.
 */
import { readdir, readFile } from "node:fs/promises";

/** Longer than any step of a test takes, even on a slow machine. */
const SILENT_MS = 30_000;

let timer: NodeJS.Timeout | undefined;

/**
 * Takes a text that says what the test does next. If no other text follows within 30 s, it prints the text and ends the
 * runtime. An empty text stops the watchdog. The answer to it has the runtime's memory in `bytes`, or null if the system
 * does not tell.
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
    `\nThe test made no progress for ${SILENT_MS / 1000} s. The watchdog ends the runtime. Last step:\n${text}\n`,
  );
  for (const pid of await runtimes()) process.kill(pid, "SIGKILL");
}

/** Process ids of the runtimes that this process started. Empty on systems without /proc. */
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
