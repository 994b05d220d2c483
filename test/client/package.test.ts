/** The package as others install it: packed, into an empty project, without this repository or the network. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FakeServer } from "./fake-server.ts";

const run = promisify(execFile);
const client = fileURLToPath(new URL("../../client", import.meta.url));
const tsc = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));

let folder: string;
let project: string;
let packed: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "package-"));
  project = join(folder, "project");
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: client });
  const report = JSON.parse(stdout.slice(stdout.search(/[[{]\s*["{]/))) as unknown;
  const [tarball] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  packed = [...JSON.stringify(report).matchAll(/"path":"([^"]+)"/g)].map(([, path]) => path!).sort();
  await mkdir(project);
  await writeFile(join(project, "package.json"), '{ "name": "project", "private": true, "type": "module" }');
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", join(folder, tarball!)], {
    cwd: project,
  });
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

it("holds each entry as an ES module and as CommonJS, its types, and what a reader needs", () => {
  const entries = ["index", "decorators", "names", "page-spool", "spool"].flatMap((name) =>
    ["cjs", "d.cts", "d.ts", "js"].map((extension) => `dist/${name}.${extension}`),
  );
  const forOneRuntime = ["index", "decorators"].flatMap((name) =>
    ["page", "process", "worker"].map((target) => `dist/${name}.${target}.js`),
  );
  const others = ["LICENSE", "README.md", "dist/names.LICENSES.txt", "package.json"];
  expect(packed).toEqual([...entries, ...forOneRuntime, ...others].sort());
});

it("works with import and with require", async () => {
  const program = `
    const wrapped = createMetricsCollector({ url: "https://metrics.example", service: "shop" })((n) => n + 1);
    console.log(wrapped(1), typeof createFolderSpool, typeof createPageSpool, typeof viteNames, typeof loader);`;
  const imports = `
    import { createMetricsCollector } from "metrics-collector-client";
    import { createFolderSpool } from "metrics-collector-client/spool";
    import { createPageSpool } from "metrics-collector-client/page-spool";
    import loader, { viteNames } from "metrics-collector-client/names";`;
  const requires = `
    const { createMetricsCollector } = require("metrics-collector-client");
    const { createFolderSpool } = require("metrics-collector-client/spool");
    const { createPageSpool } = require("metrics-collector-client/page-spool");
    const { default: loader, viteNames } = require("metrics-collector-client/names");`;
  await writeFile(join(project, "imports.mjs"), `${imports}${program} process.exit(0);`);
  await writeFile(join(project, "requires.cjs"), `${requires}${program} process.exit(0);`);
  for (const file of ["imports.mjs", "requires.cjs"]) {
    const { stdout } = await run(process.execPath, [file], { cwd: project });
    expect(stdout).toBe("2 function function function function\n");
  }
});

it("has no dependencies", async () => {
  expect(await readdir(join(project, "node_modules"))).toContain("metrics-collector-client");
  expect((await readdir(join(project, "node_modules"))).filter((name) => !name.startsWith("."))).toHaveLength(
    1,
  );
});

it.each([
  ["a bundler", ["--module", "esnext", "--moduleResolution", "bundler"]],
  ["Node 16", ["--module", "node16"]],
  ["Node", ["--module", "nodenext"]],
  ["Node without DOM types", ["--module", "nodenext", "--lib", "es2022"]],
])(
  "type-checks in an empty project, as resolved by %s",
  async (_, options) => {
    const program = `
      import { createMetricsCollector, type CollectorOptions, type Stats } from "metrics-collector-client";
      import { createMetricsCollector as createDecorator } from "metrics-collector-client/decorators";
      import { createFolderSpool } from "metrics-collector-client/spool";
      import { createPageSpool } from "metrics-collector-client/page-spool";
      import { esbuildNames, rollupNames, webpackNames } from "metrics-collector-client/names";
      export const others = [createFolderSpool, createPageSpool, esbuildNames, rollupNames, webpackNames];
      const options: CollectorOptions = { url: "https://metrics.example", service: "shop" };
      export const metricsCollector = createMetricsCollector(options);
      export const total: (prices: number[]) => number = metricsCollector((prices: number[]) => prices.length);
      export const stats: Stats = metricsCollector.stats();
      const decorator = createDecorator(options);
      class Checkout { @decorator async submit(n: number): Promise<number> { return n; } }
      export const result: Promise<number> = new Checkout().submit(1);
      // @ts-expect-error A service is needed.
      createMetricsCollector({ url: "https://metrics.example" });
      // @ts-expect-error It is a number that comes back.
      export const text: string = total([1]);
    `;
    await writeFile(join(project, "program.ts"), program);
    const strict = ["--strict", "--noEmit", "--target", "es2022", "--skipLibCheck", "false", "--types", ""];
    const { stdout } = await run(process.execPath, [tsc, ...strict, ...options, "program.ts"], {
      cwd: project,
    }).catch((error: { stdout: string }) => error);
    expect(stdout).toBe("");
  },
  60_000,
);

it("runs there, as the example in its README says", async () => {
  await using server = await new FakeServer().listen();
  const readme = await readFile(join(project, "node_modules/metrics-collector-client/README.md"), "utf8");
  const [, example] = /```ts\n([\s\S]*?)```/.exec(readme)!;
  const program = example!
    .replace("https://metrics.example.workers.dev", server.url)
    .replaceAll(": number[]", "");
  await writeFile(join(project, "example.js"), program);
  const { stderr } = await run(process.execPath, ["example.js"], { cwd: project });
  expect(stderr).toBe("");
  expect(server.calls).toEqual({ total: 1 });
});
