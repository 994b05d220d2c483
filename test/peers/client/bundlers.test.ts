/** The names plugin of the packed client in production builds of Rollup and webpack. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { installProject, type Project } from "./project.ts";

let project: Project | undefined;

beforeAll(async () => {
  project = await installProject("the names plugin in Rollup and webpack", [
    "rollup",
    "@rollup/plugin-node-resolve",
    "@rollup/plugin-terser",
    "webpack",
    "webpack-cli",
  ]);
});

afterAll(() => project?.remove());

const METRICS = `
  import { createMetricsCollector } from "metrics-collector-client";
  export const sent = [];
  export const metricsCollector = createMetricsCollector({
    url: "http://collector", service: "shop", strict: true,
    fetcher: { fetch: async (_, init) => {
      const { samples } = JSON.parse(init.body);
      sent.push(...samples.map((sample) => sample.function));
      return Response.json({ accepted: samples.length, rejected: 0, reasons: [] });
    } },
  });`;
const MAIN = `
  import { metricsCollector, sent } from "./metrics.js";
  function total(prices) { return prices.length; }
  metricsCollector(total)([]);
  const double = metricsCollector((n) => n * 2);
  double(1);
  metricsCollector.close().then(() => console.log(JSON.stringify(sent)));`;
const ROLLUP = `
  import resolve from "@rollup/plugin-node-resolve";
  import terser from "@rollup/plugin-terser";
  import { rollupNames } from "metrics-collector-client/names";
  export default {
    input: "main.js", output: { file: "rollup.mjs", format: "es", inlineDynamicImports: true },
    plugins: [resolve(), NAMED && rollupNames(), terser({ mangle: { module: true } })],
  };`;
const WEBPACK = `
  import { webpackNames } from "metrics-collector-client/names";
  export default {
    mode: "production", target: "node", entry: "./main.js",
    output: { path: import.meta.dirname, filename: "webpack.cjs" },
    plugins: NAMED ? [webpackNames()] : [],
  };`;

it.each([
  ["Rollup", "node_modules/rollup/dist/bin/rollup", ["-c", "rollup.config.js", "--silent"], "rollup.mjs"],
  ["webpack", "node_modules/webpack-cli/bin/cli.js", ["-c", "./webpack.config.js"], "webpack.cjs"],
])("%s", async (_, bundler, args, file) => {
  if (!project) return;
  await project.write("metrics.js", METRICS);
  await project.write("main.js", MAIN);
  const names: unknown[] = [];
  for (const isNamed of [false, true]) {
    await project.write("rollup.config.js", ROLLUP.replace("NAMED", String(isNamed)));
    await project.write("webpack.config.js", WEBPACK.replace("NAMED", String(isNamed)));
    const built = await project.node(bundler, ...args);
    if (built.code !== 0) throw new Error(built.output);
    const { code, output } = await project.node(file);
    if (code !== 0) throw new Error(output);
    // Without names, a warning comes too.
    names.push(JSON.parse(/^\[.*\]$/m.exec(output)![0]));
  }
  expect(names[0]).not.toEqual(["total", "double"]);
  expect(names[1]).toEqual(["total", "double"]);
});
