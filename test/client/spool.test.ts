/** What is unsent when a process ends is sent by the next one, under the same keys. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createMetricsCollector } from "../../client/index.ts";
import { createPageSpool } from "../../client/spool/page.ts";
import { Random } from "../../scripts/random.ts";
import { FakeServer } from "./fake-server.ts";

/** How many processes the campaign has. */
const PROCESSES = Number(process.env["SPOOL_PROCESSES"] ?? (process.env["CI"] ? 200 : 24));

// This limit only ends a campaign that hangs.
vi.setConfig({ testTimeout: 60_000 + PROCESSES * 5_000 });

const url = (path: string) => new URL(`../../client/${path}`, import.meta.url).href;

let server: FakeServer;
let folder: string;
const children = new Set<ChildProcess>();

beforeEach(async () => {
  server = await new FakeServer().listen();
  folder = await mkdtemp(join(tmpdir(), "spool-"));
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  code: number | null;
  signal: string | null;
  stdout: string;
}

/** Runs a program with a spool in the folder. It prints how many calls it made, each time it has made some. */
function start(
  source: string,
  everyMs = 20,
): { child: ChildProcess; ended: Promise<Ended>; printed: () => string } {
  const program = `
    const { createMetricsCollector } = await import(${JSON.stringify(url("index.ts"))});
    const { createFolderSpool } = await import(${JSON.stringify(url("spool/folder.ts"))});
    const metricsCollector = createMetricsCollector({
      url: ${JSON.stringify(server.url)}, service: "shop", intervalMs: 40, retryMs: 10, onError() {}, exitTimeoutMs: 300,
      spool: createFolderSpool({ folder: ${JSON.stringify(folder)}, everyMs: ${everyMs} }),
    });
    const work = metricsCollector("work", () => {});
    ${source}`;
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", program],
    { stdio: ["ignore", "pipe", "ignore"], env: { PATH: process.env["PATH"] } },
  );
  children.add(child);
  let stdout = "";
  child.stdout.on("data", (chunk) => (stdout += String(chunk)));
  const ended = once(child, "close").then(([code, signal]) => {
    children.delete(child);
    return { code: code as number | null, signal: signal as string | null, stdout };
  });
  return { child, ended, printed: () => stdout };
}

/** Sends everything that earlier processes have left. */
async function sendTheRest(): Promise<void> {
  const { ended } = start("console.log(await metricsCollector.flush({ timeoutMs: 20_000 }));");
  expect((await ended).stdout).toBe("true\n");
}

const away = () => (server.reply = () => "dropRequest");

describe("a process that ends", () => {
  it.each<[string, string, Partial<Ended>]>([
    ["by process.exit()", "for (let i = 0; i < 7; i++) work(); process.exit(3);", { code: 3 }],
    ["by an error", "for (let i = 0; i < 7; i++) work(); throw new Error('its own');", { code: 1 }],
    [
      "by a rejection",
      "for (let i = 0; i < 7; i++) work(); Promise.reject(new Error('its own'));",
      { code: 1 },
    ],
    ["by itself", "for (let i = 0; i < 7; i++) work();", { code: 0 }],
    [
      "by SIGTERM",
      "for (let i = 0; i < 7; i++) work(); setInterval(() => {}, 1_000); process.kill(process.pid, 'SIGTERM');",
      { code: null, signal: "SIGTERM" },
    ],
  ])("%s while the server is away loses nothing, and ends as it would have", async (_, source, how) => {
    away();
    expect(await start(source).ended).toMatchObject(how);
    expect(server.totalCalls).toBe(0);
    server.reply = () => "accept";
    await sendTheRest();
    expect(server.calls).toEqual({ work: 7 });
    // Nobody knows for how long there was no process. The server could date the calls anew, and count them twice.
    expect(server.requests.at(-1)!.ageMs).toBe(null);
    expect(await readdir(folder)).toEqual([]);
  });

  it("by SIGKILL loses at most what was called since the last write", async () => {
    away();
    const { child, ended, printed } = start(`
      for (let i = 0; i < 7; i++) work();
      setInterval(() => {}, 1_000);
      setTimeout(() => console.log("written"), 300);`);
    await vi.waitFor(() => expect(printed()).toContain("written"), { timeout: 20_000 });
    child.kill("SIGKILL");
    await ended;
    server.reply = () => "accept";
    await sendTheRest();
    expect(server.calls).toEqual({ work: 7 });
  });

  it("after its batch has arrived, but not the answer, is counted once", async () => {
    server.reply = () => "dropResponse";
    await start("for (let i = 0; i < 7; i++) work(); setTimeout(() => process.exit(), 200);").ended;
    expect(server.calls).toEqual({ work: 7 });
    server.reply = () => "accept";
    await sendTheRest();
    expect(server.calls).toEqual({ work: 7 });
    expect(new Set(server.keys).size).toBe(1);
  });

  it("may leave files that are none of a spool's", async () => {
    await writeFile(join(folder, "notes.txt"), "mine");
    await writeFile(join(folder, "another-host~1~abc.json"), "{ not JSON");
    await sendTheRest();
    expect(await readdir(folder)).toContain("notes.txt");
  });
});

const CALLS_AT_ONCE = 5;
/** Within so many turns of its timer, of 5 ms, a process has written what it counted before them: it writes every 20 ms. */
const TURNS_UNTIL_WRITTEN = 50;

const endings = [
  "process.exit()",
  "throw new Error('its own')",
  "SIGTERM",
  "SIGINT",
  "SIGKILL",
  "end",
] as const;

/** A few processes at a time share the folder, and each ends in another way while the server answers in every way. */
it(`of ${PROCESSES} processes that end in every way, none counts a call twice, and only SIGKILL loses any, of its last moments`, async () => {
  const random = new Random(Number(process.env["SEED"] ?? 7));
  server.reply = () => random.pick(["accept", "accept", "dropRequest", "dropResponse", { status: 503 }]);
  const made: Record<string, number> = {};
  const killed = new Set<string>();
  const runOne = async (name: string, ending: (typeof endings)[number]): Promise<void> => {
    const isSignal = ending.startsWith("SIG");
    const end = isSignal || ending === "end" ? "clearInterval(timer)" : ending;
    const { child, ended, printed } = start(`
      const own = metricsCollector(${JSON.stringify(name)}, () => {});
      let made = 0;
      const timer = setInterval(() => {
        for (let i = 0; i < ${CALLS_AT_ONCE}; i++) { own(); made++; }
        console.log(made);
      }, 5);
      ${isSignal ? "" : `setTimeout(() => { ${end} }, ${random.below(300)});`}`);
    const turns = () => printed().split("\n").length - 1;
    if (isSignal) {
      const turnsBefore =
        ending === "SIGKILL" ? TURNS_UNTIL_WRITTEN + random.below(20) : 1 + random.below(40);
      while (turns() < turnsBefore && child.exitCode === null) await sleep(5);
      child.kill(ending as NodeJS.Signals);
    }
    await ended;
    made[name] = turns() * CALLS_AT_ONCE;
    if (ending === "SIGKILL") killed.add(name);
  };
  for (let n = 0; n < PROCESSES; n += 3) {
    const some = Array.from({ length: Math.min(3, PROCESSES - n) }, (_, k) => n + k);
    await Promise.all(some.map((each) => runOne(`process${each}`, endings[each % endings.length]!)));
  }
  server.reply = () => "accept";
  await sendTheRest();
  const lost = Object.entries(made).map(
    ([name, calls]) => [name, calls - (server.calls[name] ?? 0)] as const,
  );
  process.stderr.write(
    `spool: ${PROCESSES} processes made ${Object.values(made).reduce((sum, calls) => sum + calls, 0)} calls, ` +
      `${server.totalCalls} were counted; ${killed.size} were killed\n`,
  );
  const isWrong = ([name, calls]: readonly [string, number]) =>
    calls < 0 || calls > (killed.has(name) ? TURNS_UNTIL_WRITTEN * CALLS_AT_ONCE : 0);
  expect(lost.filter(isWrong)).toEqual([]);
  expect(lost).toHaveLength(PROCESSES);
});

describe("a page's storage", () => {
  it("keeps what was not delivered, and the next page sends it under the same keys", async () => {
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    };
    const open = () =>
      createMetricsCollector({
        url: server.url,
        service: "shop",
        intervalMs: 20,
        onError() {},
        spool: createPageSpool(storage),
      });
    away();
    const first = open();
    for (let i = 0; i < 5; i++) first("work", () => {})();
    await vi.waitFor(() => expect(server.requests.length).toBeGreaterThan(0));
    expect(kept.size).toBe(1);
    await first.close({ timeoutMs: 0 });

    server.reply = () => "accept";
    const second = open();
    expect(second.stats()).toMatchObject({ seen: 5, pending: 5 });
    expect(await second.flush()).toBe(true);
    expect(second.stats()).toMatchObject({ seen: 5, acknowledged: 5 });
    expect(server.calls).toEqual({ work: 5 });
    expect(new Set(server.keys).size).toBe(1);
    await second.close();
  });
});
