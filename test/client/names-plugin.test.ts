/** Production builds keep the names of wrapped functions with the plugin: tried with esbuild and Vite (Rollup's interface). */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build as buildWithEsbuild } from "esbuild";
import { build as buildWithVite } from "vite";
import { afterAll, beforeAll, expect, it } from "vitest";
import { keepNames } from "../../client/names/keep-names.ts";
import { esbuildNames, viteNames } from "../../client/names/plugins.ts";

const client = fileURLToPath(new URL("../../client/decorators.ts", import.meta.url));
const SHOP = `
  import { metricsCollector } from "./metrics.ts";
  function total(prices: number[]): number { return prices.length; }
  export const calls: unknown[] = [];
  calls.push(metricsCollector(total)([1]));
  const double = metricsCollector((n: number) => n * 2);
  calls.push(double(2));
  const later = metricsCollector({ isError: () => false }, function later() {});
  later();
  const api = { load: metricsCollector(() => 1) };
  api.load();
  metricsCollector("named", () => 1)();
  metricsCollector({ name: "alsoNamed" }, () => 1)();
`;
/** Not for Vite, which compiles no standard decorators. */
const DECORATED = `
  class Checkout {
    @metricsCollector submit(n: number) { return n; }
  }
  calls.push(new Checkout().submit(3));
`;
const METRICS = `
  import { createMetricsCollector } from ${JSON.stringify(client)};
  export const sent: string[] = [];
  export const metricsCollector = createMetricsCollector({
    url: "http://collector",
    service: "shop",
    fetcher: {
      fetch: async (_: string, init: any) => {
        const body = new Response(init.body);
        const stream = init.headers["Content-Encoding"] ? body.body!.pipeThrough(new DecompressionStream("gzip")) : body.body!;
        const { samples } = await new Response(stream).json() as { samples: { function: string }[] };
        sent.push(...samples.map((sample) => sample.function));
        return Response.json({ accepted: samples.length, rejected: 0, reasons: [], duplicate: false });
      },
    },
  });
`;
const MAIN = `
  export { sent, metricsCollector as collector } from "./metrics.ts";
  export { calls } from "./shop.ts";
`;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "names-"));
  await writeFile(join(folder, "metrics.ts"), METRICS);
  await writeFile(join(folder, "main.ts"), MAIN);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

interface Built {
  sent: string[];
  calls: unknown[];
  collector: { close(): Promise<boolean> };
}

async function run(file: string): Promise<Built> {
  const built = (await import(pathToFileURL(file).href)) as Built;
  await built.collector.close();
  return built;
}

async function withEsbuild(outfile: string, isNamed: boolean): Promise<void> {
  await buildWithEsbuild({
    absWorkingDir: folder,
    entryPoints: ["main.ts"],
    outfile,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    plugins: isNamed ? [esbuildNames() as never] : [],
  });
}

async function withVite(outfile: string, isNamed: boolean): Promise<void> {
  await buildWithVite({
    root: folder,
    logLevel: "silent",
    configFile: false,
    plugins: isNamed ? [viteNames() as never] : [],
    build: {
      minify: true,
      outDir: join(outfile, ".."),
      emptyOutDir: false,
      target: "es2022",
      lib: { entry: "main.ts", formats: ["es"], fileName: () => outfile.split("/").at(-1)! },
    },
  });
}

const names = ["total", "double", "later", "load", "named", "alsoNamed"];

it.each([
  ["esbuild", withEsbuild, DECORATED, ["Checkout.submit"], [3]],
  ["Vite", withVite, "", [], []],
])("a production build by %s", async (bundler, build, decorated, decoratedNames, results) => {
  await writeFile(join(folder, "shop.ts"), SHOP + decorated);
  const plain = join(folder, `${bundler}-plain.mjs`);
  await build(plain, false);
  expect((await run(plain)).sent).not.toContain("total");

  const named = join(folder, `${bundler}-named.mjs`);
  await build(named, true);
  const { sent, calls } = await run(named);
  expect(sent).toEqual([...names, ...decoratedNames]);
  expect(calls).toEqual([1, 4, ...results]);
});

it("leaves alone what has a name, what cannot be read, and modules without a collector", () => {
  for (const code of [
    "export const total = (prices) => prices.length;",
    'metricsCollector("total", total);',
    'metricsCollector({ name: "total" }, total);',
    "metricsCollector({ ...options }, total);",
    "metricsCollector(...args);",
    "metricsCollector(() => 1);",
    "metricsCollector(] not JavaScript",
  ]) {
    expect(keepNames(code)).toBeUndefined();
  }
  expect(keepNames("measure(total);", { collectors: ["measure"] })?.code).toBe('measure("total", total);');
  expect(keepNames("app.metricsCollector(total);")?.code).toBe('app.metricsCollector("total", total);');
});
