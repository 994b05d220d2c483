/** Programs that run on: their async context, their handles and their signals are their own. */
import { describe, expect, it } from "vitest";
import { server, start, silently } from "./program.ts";

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
    expect(new Set(JSON.parse(stdout) as string[])).toEqual(new Set(["none"]));
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
