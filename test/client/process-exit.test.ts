/** Programs that have nothing left to do end when they would have ended, and report what they did before that. */
import { describe, expect, it } from "vitest";
import { FakeServer } from "./fake-server.ts";
import { server, start, FAST_CLOCK, silently } from "./program.ts";

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
      `await metricsCollector.close();
      const waiting = createMetricsCollector({
        url: ${JSON.stringify(server.url)}, service: "shop", retryMs: 10, exitTimeoutMs: 100_000,
      });
      const call = waiting("call", () => {});
      let rounds = 0;
      process.on("beforeExit", () => {
        if (rounds++ < 3) setTimeout(call, 20);
        else console.log(Math.round((realNow() - begunMs) / 1_000));
      });
      const begunMs = realNow();
      call();`,
      { before: FAST_CLOCK },
    );
    const { code, stdout } = await ended;
    // A last flush takes 100 seconds, which are two here. Four would take eight.
    const seconds = Number(stdout.trim().split("\n")[0]);
    expect([code, seconds]).toEqual([0, expect.toSatisfy((n: number) => n < 6)]);
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

it("a program that waits for its own connection while an attempt hangs still reports at its end", async () => {
  const { ended } = start(`
    import { connect } from "node:net";
    let attempts = 0;
    const patient = createMetricsCollector({
      url: ${JSON.stringify(server.url)}, service: "patient", intervalMs: 10, exitTimeoutMs: 300, retryMs: 600_000,
      onError() {},
      fetcher: { fetch: (url, init) => (attempts++ ? fetch(url, init) : new Promise(() => {})) },
    });
    patient("waits", () => {})();
    const socket = connect(${server.port}, "127.0.0.1");
    setTimeout(() => socket.destroy(), 1_500).unref();`);
  expect(await ended).toMatchObject({ code: 0 });
  expect(server.calls).toEqual({ waits: 1 });
});
