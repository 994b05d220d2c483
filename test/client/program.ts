/** Starts whole programs in Node that use the client. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, vi } from "vitest";
import { FakeServer } from "./fake-server.ts";

export const CLIENT = new URL("../../client/index.ts", import.meta.url).href;

// A process takes a while to start where many do.
vi.setConfig({ testTimeout: 30_000 });

export let server: FakeServer;
export let children: ChildProcess[];

beforeEach(async () => {
  server = await new FakeServer().listen();
  children = [];
});

afterEach(async () => {
  for (const child of children) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }
  await server[Symbol.asyncDispose]();
});

interface Program {
  child: ChildProcess;
  /** Gives how it ended, and all that it printed. */
  ended: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>;
  /** Waits until it has printed this. */
  prints: (text: string) => Promise<void>;
}

/** Starts a program that has a collector with an interval of an hour, and `work`, a function wrapped by it. */
export function start(source: string, { url = server.url, before = "" } = {}): Program {
  const program = `
    ${before}
    const { createMetricsCollector } = await import(${JSON.stringify(CLIENT)});
    const metricsCollector = createMetricsCollector({
      url: ${JSON.stringify(url)}, service: "shop", intervalMs: 3_600_000, retryMs: 10,
    });
    const work = metricsCollector(function work() {});
    ${source}`;
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", program],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"] },
    },
  );
  children.push(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => (stdout += String(chunk)));
  child.stderr.on("data", (chunk) => (stderr += String(chunk)));
  const ended = once(child, "close").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
    stdout,
    stderr,
  }));
  return {
    child,
    ended,
    prints: async (text) => {
      while (!stdout.includes(text)) {
        // One that has ended will not print it any more.
        if (child.exitCode !== null) throw new Error(`The program ended: ${stderr}`);
        await sleep(10);
      }
    },
  };
}

/** Set before the client starts: its clock runs so much faster that the ten seconds of a last flush are short. */
export const FAST_CLOCK = `
  const now = performance.now.bind(performance);
  performance.now = () => now() * 50;
  globalThis.realNow = now;`;

export const silently = { code: 0, signal: null, stdout: "", stderr: "" };
