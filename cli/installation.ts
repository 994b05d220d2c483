/** Where the parts of this package are: in a published package they are built, in a clone `build` builds them. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
const root = findRoot(import.meta.dirname);
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };

export const installation = {
  root,
  version: manifest.version,
  /** What a clone is configured by. */
  wranglerToml: join(root, "wrangler.toml"),
  /** The same as JSON, which every deployment starts from. */
  template: join(root, "dist/wrangler.json"),
  migrations: join(root, "migrations"),
  worker: join(root, "dist/worker/index.js"),
  dashboard: join(root, "dist/dashboard"),
  /** A clone has the Worker's source, and its `dist` may be older than that. */
  isClone: existsSync(join(root, "src/index.ts")) && existsSync(join(root, "scripts/build-dashboard.ts")),
  wrangler: join(dirname(require.resolve("wrangler/package.json")), "bin/wrangler.js"),
};

function findRoot(folder: string): string {
  const parent = dirname(folder);
  const path = join(folder, "package.json");
  if (existsSync(path)) {
    const { name } = JSON.parse(readFileSync(path, "utf8")) as { name?: string };
    if (name === "metrics-collector") return folder;
  }
  if (parent === folder) throw new Error("The package metrics-collector is incomplete: install it again.");
  return findRoot(parent);
}
