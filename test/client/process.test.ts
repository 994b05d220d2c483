/** Whole programs in Node: they end when they would have ended, and report what they did before that. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeServer } from "./fake-server.ts";

const CLIENT = new URL("../../client/index.ts", import.meta.url).href;

// A process takes a while to start where many do.
vi.setConfig({ testTimeout: 30_000 });

let server: FakeServer;
let children: ChildProcess[];

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
function start(source: string, { url = server.url, before = "" } = {}): Program {
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
const FAST_CLOCK = `
  const now = performance.now.bind(performance);
  performance.now = () => now() * 50;
  globalThis.realNow = now;`;

const silently = { code: 0, signal: null, stdout: "", stderr: "" };

describe("a program that has nothing left to do", () => {
  it("ends, though its interval is an hour, and sends what it has called before that", async () => {
    const { ended } = start("for (let i = 0; i < 1_000; i++) work();");
    expect(await ended).toEqual(silently);
    expect(server.calls).toEqual({ work: 1_000 });
    expect(server.requests).toHaveLength(1);
  });

  it("ends without a word where nothing was called", async () => {
    const { ended } = start("");
    expect(await ended).toEqual(silently);
    expect(server.requests).toEqual([]);
  });

  it("sends what was called since its last flush, and nothing twice", async () => {
    const { ended } = start("work(); await metricsCollector.flush(); work(); work();");
    expect(await ended).toEqual(silently);
    expect(server.requests.map(({ samples }) => samples[0]!.calls)).toEqual([1, 2]);
  });

  it("that finds more to do there sends what it called then, each time", async () => {
    const { ended } = start(`
      let rounds = 0;
      process.on("beforeExit", () => {
        if (rounds++ < 3) setTimeout(work, 20);
      });
      work();`);
    expect(await ended).toEqual(silently);
    expect(server.calls).toEqual({ work: 4 });
  });

  it("waits for the collector once, not at every end that it comes to", async () => {
    server.reply = () => ({ status: 500 });
    const { ended } = start(
      `let rounds = 0;
      process.on("beforeExit", () => {
        if (rounds++ < 3) setTimeout(work, 20);
        else console.log(Math.round((realNow() - begunMs) / 200));
      });
      const begunMs = realNow();
      work();`,
      { before: FAST_CLOCK },
    );
    const { code, stdout } = await ended;
    // A last flush takes ten seconds, which are a fifth of one here.
    expect([code, Number(stdout.trim().split("\n")[0])]).toEqual([0, expect.toSatisfy((n: number) => n < 3)]);
  });

  it("gives up a flush of its own after ten seconds, so that it ends while the collector is away", async () => {
    server.reply = () => ({ status: 500 });
    const { ended } = start(`work(); console.log(await metricsCollector.flush());`, { before: FAST_CLOCK });
    expect(await ended).toMatchObject({ code: 0, stdout: "false\n" });
  });

  it("tries again where the answer to its last batch was lost, under the same key", async () => {
    server.reply = () => (server.requests.length < 3 ? "dropResponse" : "accept");
    const { ended } = start("work();");
    expect(await ended).toMatchObject({ code: 0 });
    expect(server.calls).toEqual({ work: 1 });
    expect([server.requests.length, new Set(server.keys).size]).toEqual([3, 1]);
  });

  it("reports for each of its collectors", async () => {
    const { ended } = start(`
      const second = createMetricsCollector({ url: ${JSON.stringify(server.url)}, service: "second" });
      work();
      second({ name: "other" }, () => {})();`);
    expect(await ended).toEqual(silently);
    expect(server.calls).toEqual({ work: 1, other: 1 });
  });

  it("sends at the end of `await using`", async () => {
    const { ended } = start(`
      {
        await using scoped = createMetricsCollector({ url: ${JSON.stringify(server.url)}, service: "scoped" });
        scoped({ name: "inside" }, () => {})();
      }
      console.log("after");
      process.exit(0);`);
    expect(await ended).toEqual({ ...silently, stdout: "after\n" });
    expect(server.calls).toEqual({ inside: 1 });
  });

  it("keeps its exit code", async () => {
    const { ended } = start("work(); process.exitCode = 3;");
    expect(await ended).toEqual({ ...silently, code: 3 });
    expect(server.calls).toEqual({ work: 1 });
  });

  it("ends once it has tried for a while where nothing listens, with one warning", async () => {
    const { url } = server;
    await server[Symbol.asyncDispose]();
    const { ended } = start("work();", { url, before: FAST_CLOCK });
    const { code, stderr } = await ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/^metrics-collector: .*ECONNREFUSED.*\n$/);
  });

  it("ends once it has waited for a while where the collector never answers", async () => {
    server.reply = () => "hang";
    const { ended } = start(
      `await metricsCollector.close();
       const impatient = createMetricsCollector({
         url: ${JSON.stringify(server.url)}, service: "shop", retryMs: 10, timeoutMs: 1_000,
         exitTimeoutMs: 10_000,
       });
       impatient({ name: "work" }, () => {})();`,
      { before: FAST_CLOCK },
    );
    expect(await ended).toMatchObject({ code: 0, signal: null });
    expect(server.requests.length).toBeGreaterThan(0);
  });

  it("is not kept alive by a backoff, however long", async () => {
    server.reply = () => ({ status: 503, headers: { "Retry-After": "3600" } });
    // A last flush that is not to be waited for: what is left is the timer.
    const { ended } = start(
      "work(); await metricsCollector.flush({ timeoutMs: 100 }); process.removeAllListeners('beforeExit');",
    );
    expect(await ended).toMatchObject({ code: 0 });
    expect(server.requests).toHaveLength(1);
  });
});

describe("a program that has nothing left to do ends within two seconds", () => {
  const timed = (source: string) => `const begunMs = performance.now();
    process.on("exit", () => console.log(Math.round(performance.now() - begunMs)));
    ${source}`;

  it.each<[string, FakeServer["reply"], string]>([
    ["where the server answers with errors", () => ({ status: 500 }), "work();"],
    ["where the server never answers", () => "hang", "work();"],
    [
      "where a POST is in flight already",
      () => "hang",
      `const soon = createMetricsCollector({ url: URL, service: "soon", intervalMs: 10, timeoutMs: 30_000 });
       soon("work", () => {})();
       await new Promise((resolve) => setTimeout(resolve, 100));`,
    ],
  ])("%s", async (_, reply, source) => {
    server.reply = reply;
    const { ended } = start(timed(source.replace("URL", JSON.stringify(server.url))));
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    // Two seconds, and what a busy machine needs for the rest.
    expect(Number(stdout)).toBeLessThan(4_500);
    expect(server.requests.length).toBeGreaterThan(0);
  });
});

describe("a program's own context", () => {
  it("is not that of timers and POSTs: they keep no request's data, and belong to no request's trace", async () => {
    const { ended } = start(`
      import { AsyncLocalStorage } from "node:async_hooks";
      const requests = new AsyncLocalStorage();
      const contexts = [];
      const traced = createMetricsCollector({
        url: ${JSON.stringify(server.url)}, service: "traced", intervalMs: 10,
        fetcher: { fetch: (...args) => { contexts.push(requests.getStore() ?? "none"); return fetch(...args); } },
      });
      const handle = traced("handle", () => requests.getStore());
      for (let id = 0; id < 3; id++) {
        if (requests.run({ id }, handle).id !== id) throw new Error("The function lost its context.");
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await requests.run("flush", () => traced.flush());
      console.log(JSON.stringify(contexts));`);
    const { stdout } = await ended;
    expect(JSON.parse(stdout)).toEqual(["none", "none", "none"]);
  });

  it("has one listener, however many collectors there are", async () => {
    const { ended } = start(`
      for (let n = 0; n < 30; n++) {
        const each = createMetricsCollector({ url: ${JSON.stringify(server.url)}, service: "s" + n });
        each("work", () => {})();
      }`);
    expect(await ended).toMatchObject({ code: 0, stderr: "" });
    expect(server.calls).toEqual({ work: 30 });
  });
});

describe("a server program", () => {
  const serve = `
    work(); work();
    setInterval(() => {}, 1_000);
    console.log("ready");`;

  it("sends what it has called when SIGTERM's handler awaits flush()", async () => {
    const { child, ended, prints } = start(`
      process.on("SIGTERM", async () => {
        const delivered = await metricsCollector.flush();
        console.log("delivered", delivered);
        process.exit(0);
      });
      ${serve}`);
    await prints("ready");
    expect(server.requests).toEqual([]);
    child.kill("SIGTERM");
    expect(await ended).toEqual({ ...silently, stdout: "ready\ndelivered true\n" });
    expect(server.calls).toEqual({ work: 2 });
  });

  it("is not held up for longer than it says when SIGTERM comes while the collector is away", async () => {
    server.reply = () => ({ status: 500 });
    const { child, ended, prints } = start(`
      process.on("SIGTERM", async () => {
        console.log("delivered", await metricsCollector.flush({ timeoutMs: 100 }));
        process.exit(0);
      });
      ${serve}`);
    await prints("ready");
    child.kill("SIGTERM");
    expect(await ended).toMatchObject({ code: 0, stdout: "ready\ndelivered false\n" });
    expect(server.totalCalls).toBe(0);
  });

  it.each([2 ** 31, Infinity])(
    "with an interval of %d sends nothing by itself, and does not hurry",
    async (intervalMs) => {
      const { child, ended, prints } = start(`
      const rarely = createMetricsCollector({
        url: ${JSON.stringify(server.url)}, service: "rarely", intervalMs: ${intervalMs},
      });
      rarely({ name: "work" }, () => {})();
      setTimeout(() => console.log("waited"), 300);
      ${serve}`);
      await prints("waited");
      expect(server.requests).toEqual([]);
      child.kill("SIGKILL");
      expect((await ended).stderr).toBe("");
    },
  );

  it("without a handler dies of SIGTERM as ever", async () => {
    const { child, ended, prints } = start(serve);
    await prints("ready");
    child.kill("SIGTERM");
    expect(await ended).toMatchObject({ code: null, signal: "SIGTERM" });
  });

  it("that fails dies of its own error, in a wrapped function too", async () => {
    const { ended } = start(`
      setInterval(() => {}, 1_000);
      const fail = metricsCollector(async function fail() { throw new Error("its own"); });
      void fail();`);
    const { code, stderr } = await ended;
    expect(code).toBe(1);
    expect(stderr).toContain("Error: its own");
  });
});
