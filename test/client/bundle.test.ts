/** What the client adds to a program. */
import { builtinModules } from "node:module";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { bundleFor, type Target } from "../../client/bundle.ts";

const client = fileURLToPath(new URL("../../client/index.ts", import.meta.url));
const contents = `export * from ${JSON.stringify(client)};`;

async function bundle(target: Target, minify = true, source = contents) {
  const { outputFiles, metafile } = await build({
    ...bundleFor(target),
    stdin: { contents: source, resolveDir: fileURLToPath(new URL(".", import.meta.url)), loader: "ts" },
    minify,
    write: false,
    metafile: true,
  });
  return { text: outputFiles[0]!.text, inputs: metafile.inputs };
}

const TARGETS: Target[] = ["page", "process", "worker", "any"];

describe("the bundle", () => {
  // A page's is the one that people download.
  it.each<[Target, number]>([
    ["page", 8_000],
    ["process", 8_130],
    ["worker", 7_750],
    ["any", 8_600],
  ])("for %s is at most %i bytes gzipped", async (target, limit) => {
    const { text } = await bundle(target);
    expect(gzipSync(text).length).toBeLessThanOrEqual(limit);
  });

  it.each(TARGETS)(
    "for %s imports nothing, neither from packages nor from the platform, and of this repository src/stats alone",
    async (target) => {
      const { text, inputs } = await bundle(target, false);
      const files = Object.keys(inputs).filter((file) => !file.includes("<stdin>"));
      expect(files.filter((file) => !/^(client(\/runtime)?|src\/stats)\/[a-z-]+\.ts$/.test(file))).toEqual(
        [],
      );
      const imported = [...text.matchAll(/(?:^|[\s;])import\s*(?:[\w{*][^"']*from\s*)?["']([^"']+)["']/g)];
      expect(imported.map(([, name]) => name)).toEqual([]);
      // Asked for at run time, where it is.
      const asked = target === "page" ? [] : ["async_hooks"];
      expect(builtinModules.filter((name) => text.includes(`"node:${name}"`))).toEqual(asked);
    },
  );

  it("has only the code of its runtime", async () => {
    const runtimes: Record<string, string[]> = {};
    for (const target of TARGETS) {
      const { inputs } = await bundle(target);
      const names = Object.keys(inputs).flatMap(
        (file) => /runtime\/(page|process|worker)\.ts$/.exec(file)?.[1] ?? [],
      );
      runtimes[target] = names.sort();
    }
    expect(runtimes).toEqual({
      page: ["page"],
      // `waitUntil` is an option there.
      process: ["process", "worker"],
      worker: ["worker"],
      any: ["page", "process", "worker"],
    });
  });

  it("does nothing, and goes away, where nothing of it is used", async () => {
    const { text } = await bundle("page", true, `import {} from ${JSON.stringify(client)}; console.log(1);`);
    expect(text.length).toBeLessThan(1_000);
  });
});
