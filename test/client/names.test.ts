/** Names and failures as the client sends them: the Worker's own validation takes them, whatever they were. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createMetricsCollector, type MetricsCollector } from "../../client/index.ts";
import type { SumOfCalls } from "../../src/ingest/sample.ts";
import { readSample } from "../../src/ingest/samples/read-sample.ts";
import { FakeServer } from "./fake-server.ts";

// So many long texts take a while to make.
vi.setConfig({ testTimeout: 30_000 });

let server: FakeServer;
let metricsCollector: MetricsCollector;

beforeEach(() => {
  server = new FakeServer();
  metricsCollector = createMetricsCollector({
    url: "http://collector",
    service: "shop",
    fetcher: server.fetcher,
  });
});

afterEach(() => metricsCollector.close({ timeoutMs: 0 }));

/** What the Worker reads of a failed call of that name. */
async function readByServer(name: string, module: string, thrown: unknown): Promise<SumOfCalls> {
  const fail = metricsCollector({ name, module }, () => {
    throw thrown;
  });
  expect(caught(fail)).toBe(thrown);
  server.requests.length = 0;
  await metricsCollector.flush();
  const [sent] = server.requests[0]!.samples;
  const read = readSample(sent);
  if ("reason" in read) throw new Error(read.reason);
  return read.sample as SumOfCalls;
}

it.each([
  ["nothing", "", "function"],
  ["blank", " \t\n ", "function"],
  ["control characters alone", "\0\u001f", "function"],
  ["blank for more than a name is long", " ".repeat(300), "function"],
  ["surrounded by blanks", "  load  ", "load"],
  ["of a letter and its accent", "e\u0301", "\u00e9"],
  ["longer once it is composed", "\ufb2c".repeat(200), "\u05e9\u05bc\u05c1".repeat(67).slice(0, 200)],
  ["too long", "n".repeat(9_999), "n".repeat(200)],
  ["cut in the middle of a character", `${"n".repeat(199)}🙂`, `${"n".repeat(199)}\ufffd`],
])("a name that is %s", async (_, name, read) => {
  expect((await readByServer(name, name, name)).function).toBe(read);
});

it("whatever the name, the module and the error are", async () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 250 }),
    fc.string({
      unit: fc.constantFrom(" ", "\0", "\n", "\u0085", "\ufeff", "\ufb2c", "\u0344", "e", "\u0301", "\ud83d"),
      maxLength: 250,
    }),
  );
  for (const [name, module, message] of fc.sample(fc.tuple(text, text, text), 300)) {
    const thrown = Object.assign(new Error(message), { name: module });
    const fail = metricsCollector({ name, module }, () => {
      throw thrown;
    });
    expect(caught(fail)).toBe(thrown);
  }
  await metricsCollector.flush();
  const sent = server.requests.flatMap(({ samples }) => samples);
  expect(sent.length).toBeGreaterThan(200);
  expect(sent.map(readSample).filter((read) => "reason" in read)).toEqual([]);
});

it("a huge error text is cut before it is looked at any closer", async () => {
  const huge = "\0".repeat(50_000_000);
  const { failures } = await readByServer("work", "", Object.assign(new Error(huge), { name: huge }));
  expect(failures).toEqual([{ name: "Error", message: "", calls: 1 }]);
  const thrown = await readByServer("work", "", "x".repeat(50_000_000));
  expect(thrown.failures).toEqual([{ name: "string", message: "x".repeat(500), calls: 1 }]);
});

function caught(fn: () => unknown): unknown {
  try {
    return fn();
  } catch (thrown) {
    return thrown;
  }
}
