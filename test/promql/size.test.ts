import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, it } from "vitest";

/** What the HTTP API needs of the engine. */
const ENTRY = `
  export { query, queryRange } from "./engine.ts";
  export { prettify } from "./format.ts";
  export { parse, parseSelector } from "./parser.ts";
`;

it("the engine is no larger than 33 KB, minified and gzipped, and imports nothing from outside", async () => {
  const resolveDir = new URL("../../src/promql", import.meta.url).pathname;
  const { outputFiles, metafile } = await build({
    stdin: { contents: ENTRY, resolveDir },
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2024",
    write: false,
    metafile: true,
  });
  const files = Object.keys(metafile.inputs).filter((path) => path !== "<stdin>");
  expect(files.filter((path) => !path.includes("src/promql/"))).toEqual([]);
  expect(gzipSync(outputFiles[0]!.contents, { level: 9 }).length).toBeLessThan(33_000);
});
