/** The packed client beside libraries that replace promises, return lazy ones, or run tests. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { installProject, type Project } from "./project.ts";

let project: Project | undefined;

beforeAll(async () => {
  project = await installProject("the client beside libraries", [
    "jest",
    "zone.js",
    "bluebird",
    "kysely",
    "knex",
    "openai",
    "ky",
    "comlink",
    "sinon",
  ]);
});

afterAll(() => project?.remove());

/** Prints what was counted, by function: calls, errors. */
const COLLECTOR = `
  const sent = {};
  const metricsCollector = createMetricsCollector({
    url: "http://collector", service: "shop", strict: true,
    fetcher: { fetch: async (_, init) => {
      const { samples } = JSON.parse(init.body);
      for (const s of samples) sent[s.function] = [s.calls, s.errors ?? 0];
      return Response.json({ accepted: samples.length, rejected: 0, reasons: [] });
    } },
  });
  const finish = async () => { await metricsCollector.close(); console.log(JSON.stringify(sent)); };
`;
const IMPORT = 'import { createMetricsCollector } from "metrics-collector-client";';

async function run(file: string, source: string, ...options: string[]): Promise<unknown> {
  await project!.write(file, source);
  const { code, output } = await project!.node(...options, file);
  if (code !== 0) throw new Error(output);
  return JSON.parse(output.trim().split("\n").at(-1)!);
}

const LOADS = `
  const load = metricsCollector("load", async (n) => { await null; if (n % 3 === 0) throw new Error("boom"); return n; });
  for (let n = 0; n < 30; n++) await load(n).catch(() => {});
  await finish();
`;

it.each([
  [
    "before",
    'import "zone.js/node"; const { createMetricsCollector } = await import("metrics-collector-client");',
  ],
  ["after", `${IMPORT} await import("zone.js/node");`],
])("zone.js, loaded %s the client: awaited async calls are counted", async (_, load) => {
  if (!project) return;
  expect(await run("zone.mjs", load + COLLECTOR + LOADS)).toEqual({ load: [30, 10] });
});

it("zone.js: timers of the collector are not the program's", async () => {
  if (!project) return;
  const source = `import "zone.js/node"; const { createMetricsCollector } = await import("metrics-collector-client");
    ${COLLECTOR}
    let pending = 0;
    const zone = Zone.current.fork({ name: "app", onHasTask: (_, __, ___, state) => { pending = state.macroTask ? 1 : 0; } });
    zone.run(() => metricsCollector("work", () => 1)());
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (pending) throw new Error("A timer of the collector keeps the zone busy.");
    await finish();`;
  expect(await run("zone-timers.mjs", source)).toEqual({ work: [1, 0] });
});

it("Bluebird as the global Promise", async () => {
  if (!project) return;
  const source = `import Bluebird from "bluebird"; globalThis.Promise = Bluebird;
    const { createMetricsCollector } = await import("metrics-collector-client"); ${COLLECTOR}
    const own = metricsCollector("own", () => Bluebird.resolve(1));
    await own(); await own().catch(() => {});
    ${LOADS}`;
  expect(await run("bluebird.mjs", source)).toEqual({ own: [2, 0], load: [30, 10] });
});

it("queries of kysely and knex are executed once and counted once", async () => {
  if (!project) return;
  const source = `${IMPORT} ${COLLECTOR}
    import { Kysely, DummyDriver, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
    import knex from "knex";
    let executed = 0;
    class Driver extends DummyDriver {
      async acquireConnection() { return { executeQuery: async () => { executed++; return { rows: [{ id: 1 }] }; } }; }
    }
    const db = new Kysely({ dialect: {
      createAdapter: () => new SqliteAdapter(), createDriver: () => new Driver(),
      createIntrospector: (db) => new SqliteIntrospector(db), createQueryCompiler: () => new SqliteQueryCompiler(),
    } });
    const execute = metricsCollector("kysely.execute", () => db.selectFrom("users").selectAll().execute());
    const build = metricsCollector("kysely.build", () => db.selectFrom("users").selectAll());
    if ((await execute())[0].id !== 1 || executed !== 1) throw new Error("kysely");
    await build().execute();
    if (executed !== 2) throw new Error("kysely executed " + executed);
    const { default: Client } = await import("knex/lib/dialects/sqlite3/index.js");
    let ran = 0;
    class Fake extends Client {
      _driver() { return {}; }
      runner() { return { run: async () => { ran++; return [{ id: 2 }]; } }; }
    }
    const sql = knex({ client: Fake, connection: { filename: ":memory:" }, useNullAsDefault: true });
    const users = metricsCollector("knex.users", (n) => sql("users").limit(n));
    const query = users(3);
    if (ran !== 0) throw new Error("knex ran too early");
    if ((await query.offset(1))[0].id !== 2 || ran !== 1) throw new Error("knex ran " + ran);
    await finish();`;
  expect(await run("queries.mjs", source)).toMatchObject({
    "kysely.execute": [1, 0],
    "kysely.build": [1, 0],
    "knex.users": [1, 0],
  });
});

it("OpenAI's and ky's promises keep their methods, and every call counts", async () => {
  if (!project) return;
  const source = `${IMPORT} ${COLLECTOR}
    import OpenAI from "openai";
    import ky from "ky";
    const answer = () => Response.json({ id: "1", choices: [] });
    const openai = new OpenAI({ apiKey: "none", baseURL: "http://127.0.0.1:9", fetch: async () => answer() });
    const create = metricsCollector("create", () => openai.chat.completions.create({ model: "m", messages: [] }));
    if ((await create()).id !== "1") throw new Error("await");
    if ((await create().withResponse()).data.id !== "1") throw new Error("withResponse");
    if (!(await create().asResponse()).ok) throw new Error("asResponse");
    await create().catch(() => {});
    await create().finally(() => {});
    const get = metricsCollector({ name: "get", stream: "end" }, (url) => ky.get(url, { fetch: async () => answer() }));
    if ((await get("http://127.0.0.1:9").json()).id !== "1") throw new Error("ky");
    await finish();`;
  expect(await run("requests.mjs", source)).toEqual({ create: [5, 0], get: [1, 0] });
});

it("Comlink: a remote property is read once", async () => {
  if (!project) return;
  const source = `${IMPORT} ${COLLECTOR}
    import * as Comlink from "comlink";
    const { port1, port2 } = new MessageChannel();
    let reads = 0;
    Comlink.expose({ get counter() { reads++; return 7; } }, port1);
    const remote = Comlink.wrap(port2);
    const read = metricsCollector("read", () => remote.counter);
    if ((await read()) !== 7 || reads !== 1) throw new Error("read " + reads);
    await finish();
    port1.close(); port2.close();`;
  expect(await run("comlink.mjs", source)).toEqual({ read: [1, 0] });
});

it("jest in its default mode, with fake timers: no hang, no open handle", async () => {
  if (!project) return;
  await project.write("package.json", '{ "name": "project", "private": true }');
  await project.write(
    "shop.test.js",
    `const { createMetricsCollector } = require("metrics-collector-client");
    let fail = true;
    const metricsCollector = createMetricsCollector({
      url: "http://collector", service: "shop", intervalMs: 5, retryMs: 1, onError() {},
      fetcher: { fetch: async (_, init) => {
        if (fail) throw new TypeError("fetch failed");
        return Response.json({ accepted: JSON.parse(init.body).samples.length, rejected: 0, reasons: [] });
      } },
    });
    const work = metricsCollector("work", () => 7);
    test("fake timers", async () => {
      jest.useFakeTimers();
      expect(work()).toBe(7);
      jest.runAllTimers();
      expect(await metricsCollector.flush({ timeoutMs: 20 })).toBe(false);
      jest.useRealTimers();
      fail = false;
      expect(await metricsCollector.flush()).toBe(true);
      expect(metricsCollector.stats().acknowledged).toBe(1);
    });`,
  );
  const { code, output } = await project.node("node_modules/jest/bin/jest.js", "--detectOpenHandles", "--ci");
  await project.write("package.json", '{ "name": "project", "private": true, "type": "module" }');
  expect(output).toContain("1 passed");
  expect(output).not.toMatch(/open handle|did not exit/i);
  expect(code).toBe(0);
});
