import { gzipSync } from "node:zlib";
import { build, type Plugin } from "esbuild";
import { expect, it } from "vitest";

const ROOT = new URL("../../", import.meta.url).pathname;

/** The Worker without the query API. */
const withoutDoor: Plugin = {
  name: "without-door",
  setup({ onLoad }) {
    onLoad({ filter: /prometheus\/query\/routes\.ts$/ }, () => ({
      contents: "export const prometheusRoutes = [];",
    }));
  },
};

/** Size of the Worker, minified and gzipped, in bytes. */
async function sizeOf(plugins: Plugin[]): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: [`${ROOT}src/index.ts`],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    write: false,
    plugins,
  });
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length;
}

it("the query API makes the Worker at most 41 KB larger, minified and gzipped, with its engine", async () => {
  const [whole, without] = [await sizeOf([]), await sizeOf([withoutDoor])];
  console.log(`${whole} bytes, ${whole - without} of them for the query API.`);
  expect(whole - without).toBeLessThan(41_000);
});
