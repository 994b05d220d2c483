/** Bundles and serves the Worker that the benchmark measures, and reads the processor time that it uses. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as runtime from "../../scripts/runtime.ts";

export interface Collector extends AsyncDisposable {
  url: string;
  /** Process id of the runtime, or 0 if it is not known. */
  pid: number;
}

export async function bundle(folder: string): Promise<void> {
  await runtime.bundle(join(import.meta.dirname, "worker.ts"), folder);
}

/** Serves the bundle with empty storage. */
export async function serve(
  folder: string,
  name: string,
  vars: Record<string, string> = {},
): Promise<Collector> {
  const others = new Set(await childrenOf(process.pid));
  const served = await runtime.serve({
    script: join(folder, "worker.js"),
    stateFolder: join(folder, `state-${name}`),
    vars: { COUNTED: "false", ...vars },
    objects: { STORE: "BareStore" },
  });
  const pid = (await childrenOf(process.pid)).find((child) => !others.has(child)) ?? 0;
  return { url: served.url, pid, [Symbol.asyncDispose]: () => served[Symbol.asyncDispose]() };
}

/** Seconds of processor time that a process has used, or 0 on systems without /proc. */
export async function cpuSeconds(pid: number): Promise<number> {
  const fields = await statOf(pid);
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100;
}

async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir("/proc").catch(() => [])).map(Number).filter((pid) => pid > 0);
  const parents = await Promise.all(pids.map(async (pid) => Number((await statOf(pid))[1])));
  return pids.filter((_, i) => parents[i] === parent);
}

/** The fields of /proc/PID/stat after the command's name. The first is the state, the second the parent. */
async function statOf(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}
