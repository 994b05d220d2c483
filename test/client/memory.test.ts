/** A call leaves nothing behind for the garbage collector, nor does any number of them. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const client = fileURLToPath(new URL("../../client/index.ts", import.meta.url));

interface Run {
  collections: number;
  grownBytes: number;
  seen: number;
}

/** The function allocates nothing itself. */
async function callTenMillionTimes(fn: string): Promise<Run> {
  const program = `
    const { createMetricsCollector } = await import(${JSON.stringify(client)});
    const metricsCollector = createMetricsCollector({ url: "http://127.0.0.1:9", service: "shop" });
    const same = { id: 1 };
    const fn = metricsCollector(${fn});
    let sum = 0;
    const call = (times) => { for (let i = 0; i < times; i++) sum = (sum + (fn(i, 1) === same ? 1 : 2)) | 0; };
    // Compiled code is what allocates nothing; until then an interpreter does.
    for (let i = 0; i < 20; i++) call(100_000);
    gc();
    const before = process.memoryUsage().heapUsed;
    console.log("begin");
    call(10_000_000);
    console.log("end");
    gc();
    console.log("grown by " + (process.memoryUsage().heapUsed - before));
    console.log("seen " + metricsCollector.stats().seen);
    process.exit(0);`;
  const flags = [
    "--trace-gc",
    "--expose-gc",
    "--max-semi-space-size=1",
    // Every run is compiled alike. With threads of its own, the compiler comes to another end at times, and boxes readings
    // of the clock, as it does those of a program that reads it without the client.
    "--single-threaded",
    "--input-type=module",
    "-e",
    program,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  const [, during] = /begin\n([\s\S]*)end\n/.exec(stdout)!;
  return {
    collections: during!.split("\n").filter((line) => line.includes("Scavenge")).length,
    grownBytes: Number(/grown by (-?\d+)/.exec(stdout)![1]),
    seen: Number(/seen (\d+)/.exec(stdout)![1]),
  };
}

const RUNS = 5;
/** A single object of 16 bytes per call would be 160 MB: some 150 collections of this young generation. */
const isNone = (collections: number) => collections < 5;

it.each([
  ["a number", "function add(a, b) { return a + b; }"],
  ["nothing", "function nothing() {}"],
  ["an object", "function find() { return same; }"],
])(
  "ten million calls of a function that returns %s allocate nothing, and memory stays flat",
  async (_, fn) => {
    const collections: number[] = [];
    // An object that the client makes for each call is there in every run. The box that the compiler sometimes makes for a
    // reading of the clock is there in some.
    while (!collections.some(isNone) && collections.length < RUNS) {
      const run = await callTenMillionTimes(fn);
      expect(run.grownBytes).toBeLessThan(1_000_000);
      expect(run.seen).toBe(12_000_000);
      collections.push(run.collections);
    }
    expect(collections).toSatisfy((all: number[]) => all.some(isNone));
  },
);
