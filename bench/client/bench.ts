/**
 * `npm run bench:client`: what a wrapped call costs, in Node and inside workerd, next to what others cost. Every round
 * runs each variant once, in turn, so that what else the machine does falls on all of them; the median round counts.
 */
import { cpus } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { type AsyncFn, type Fn, loop, loopAsync, loopObjects, type ObjectFn, variants } from "./variants.ts";

const ROUNDS = 15;
const NAMES = Object.keys(variants);
const CLOCK = "two clock reads and a sum";

/** Runs a loop of a variant that many times, and gives the milliseconds that it took; undefined where it cannot run. */
type Run = (name: string, times: number) => Promise<number | undefined>;

console.log(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}, median of ${ROUNDS} interleaved rounds\n`,
);
await report("Node, sync", nodeRun("sync"), 200_000);
await report("Node, sync, giving an object", nodeRun("object"), 200_000);
await report("Node, async", nodeRun("async"), 50_000);

const worker = await build({
  entryPoints: [join(import.meta.dirname, "worker.ts")],
  bundle: true,
  format: "esm",
  write: false,
  platform: "node",
  conditions: ["workerd", "import"],
  mainFields: ["module", "main"],
  // The peers are CommonJS, and require what Node brings.
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire("/");' },
  logLevel: "error",
});
const miniflare = new Miniflare(
  convertV4MiniflareOptions({
    modules: [{ type: "ESModule", path: "worker.mjs", contents: worker.outputFiles[0]!.text }],
    compatibilityDate: "2026-08-04",
    compatibilityFlags: ["nodejs_compat"],
  }),
);
try {
  await report("workerd, sync", workerRun("sync"), 200_000);
  await report("workerd, async", workerRun("async"), 50_000);
} finally {
  await miniflare.dispose();
}

function nodeRun(kind: "sync" | "object" | "async"): Run {
  const fns = new Map<string, Fn | ObjectFn | AsyncFn>();
  const known = { id: 1 };
  for (const name of NAMES) {
    const wrap = variants[name]!();
    fns.set(
      name,
      {
        sync: () =>
          wrap(function add(a: number, b: number) {
            return a + b;
          }),
        object: () =>
          wrap(function find(_a: number, _b: number) {
            return known;
          }),
        async: () =>
          wrap(async function addLater(a: number, b: number) {
            return a + b;
          }),
      }[kind](),
    );
  }
  return async (name, times) => {
    const fn = fns.get(name)!;
    const start = performance.now();
    if (kind === "sync") loop(fn as Fn, times);
    else if (kind === "object") loopObjects(fn as ObjectFn, times);
    else await loopAsync(fn as AsyncFn, times);
    return performance.now() - start;
  };
}

/** What the request itself takes is measured by a loop of nothing, and taken off. */
function workerRun(kind: "sync" | "async"): Run {
  const ask = async (name: string, times: number) => {
    const query = new URLSearchParams({ variant: name, times: String(times), kind });
    const start = performance.now();
    const response = await miniflare.dispatchFetch(`http://bench/?${query.toString()}`);
    await response.text();
    return response.ok ? performance.now() - start : undefined;
  };
  return async (name, times) => {
    const request = await ask(name, 0);
    const whole = await ask(name, times);
    return request === undefined || whole === undefined ? undefined : Math.max(0, whole - request);
  };
}

async function report(title: string, run: Run, times: number): Promise<void> {
  const rounds = new Map<string, number[]>(NAMES.map((name) => [name, []]));
  for (let round = -3; round < ROUNDS; round++) {
    for (const name of NAMES) {
      const ms = await run(name, times);
      // The first rounds are for the compiler.
      if (round >= 0 && ms !== undefined) rounds.get(name)!.push((ms * 1e6) / times);
    }
  }
  const clock = median(rounds.get(CLOCK)!);
  const bare = median(rounds.get("bare")!);
  console.log(title.padEnd(34), "ns/call".padStart(9), "× clock".padStart(9), "+ ns".padStart(9));
  for (const [name, each] of rounds) {
    if (each.length === 0) {
      console.log(name.padEnd(34), "does not run here".padStart(29));
      continue;
    }
    const ns = median(each);
    console.log(
      name.padEnd(34),
      ns.toFixed(1).padStart(9),
      (ns / clock).toFixed(2).padStart(9),
      (ns - bare).toFixed(1).padStart(9),
    );
  }
  console.log();
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
