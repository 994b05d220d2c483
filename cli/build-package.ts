/** `npm pack` runs this: builds all that the published package holds besides what is there already. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { build as bundle } from "esbuild";
import { build } from "./build.ts";
import { installation } from "./installation.ts";

const folder = join(installation.root, "dist/cli");

await build();
await rm(folder, { recursive: true, force: true });
await bundle({
  absWorkingDir: installation.root,
  entryPoints: ["cli/main.ts"],
  outdir: folder,
  bundle: true,
  // A command loads only what it needs: the runtime of `dev` takes a second.
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node22.12",
  packages: "external",
  logLevel: "warning",
});
