/** What the client adds to a program. */
import { builtinModules } from "node:module";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";

const client = fileURLToPath(new URL("../../client/index.ts", import.meta.url));

async function bundle(contents: string, minify = true) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL(".", import.meta.url)), loader: "ts" },
    bundle: true,
    minify,
    format: "esm",
    write: false,
    metafile: true,
  });
  return { text: outputFiles[0]!.text, inputs: metafile.inputs };
}

describe("the bundle", () => {
  it("is at most 9 KB gzipped", async () => {
    const { text } = await bundle(`export * from ${JSON.stringify(client)};`);
    expect(gzipSync(text).length).toBeLessThanOrEqual(9_216);
  });

  it("imports nothing, neither from packages nor from the platform, and of this repository src/stats alone", async () => {
    const { text, inputs } = await bundle(`export * from ${JSON.stringify(client)};`, false);
    const files = Object.keys(inputs).filter((file) => !file.includes("<stdin>"));
    expect(files.filter((file) => !/^(client|src\/stats)\/[a-z-]+\.ts$/.test(file))).toEqual([]);
    const imported = [...text.matchAll(/(?:^|[\s;])import\s*(?:[\w{*][^"']*from\s*)?["']([^"']+)["']/g)];
    expect(imported.map(([, name]) => name)).toEqual([]);
    expect(builtinModules.filter((name) => text.includes(`"node:${name}"`))).toEqual([
      // Asked for at run time, where it is.
      "async_hooks",
    ]);
  });

  it("does nothing, and goes away, where nothing of it is used", async () => {
    const { text } = await bundle(`import {} from ${JSON.stringify(client)}; console.log(1);`);
    expect(text.length).toBeLessThan(1_000);
  });
});
