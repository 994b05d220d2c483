/** Bundles `dashboard/` into `dist/dashboard/`, which the Worker serves. `npm start` and `npm run deploy` run it. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";
import { PROJECT } from "./wrangler.ts";

const SOURCE = join(PROJECT, "dashboard");
export const BUILT = join(PROJECT, "dist/dashboard");

if (import.meta.main) await buildDashboard();

export async function buildDashboard(): Promise<void> {
  const files = await bundle();
  let page = await readFile(join(SOURCE, "index.html"), "utf8");
  for (const path of files.keys()) {
    const plain = basename(path).replace(/-[^-]+(?=\.\w+$)/, "");
    page = page.replace(`"/${plain}"`, `"/${path}"`);
  }
  for (const name of ["_headers", "favicon.svg"]) files.set(name, await readFile(join(SOURCE, name)));
  // The page is written last, so that the files that it names exist already, even while a server watches the folder.
  files.set("index.html", Buffer.from(page));
  for (const [path, bytes] of files) await writeWhole(join(BUILT, path), bytes);
  await removeOthers(new Set(files.keys()));
}

/** The scripts and the style sheet. Their names contain a hash of their content, so browsers may cache them for ever. */
async function bundle(): Promise<Map<string, Uint8Array>> {
  const { outputFiles } = await build({
    absWorkingDir: SOURCE,
    entryPoints: [
      { in: "main.tsx", out: "main" },
      { in: "style/style.css", out: "style" },
    ],
    entryNames: "assets/[name]-[hash]",
    // What is imported dynamically is a file of its own, which browsers load when it is needed.
    splitting: true,
    chunkNames: "assets/[name]-[hash]",
    outdir: BUILT,
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022", "chrome120", "firefox121", "safari17"],
    jsx: "automatic",
    jsxImportSource: "preact",
    legalComments: "none",
    write: false,
  });
  return new Map(outputFiles.map(({ path, contents }) => [path.slice(BUILT.length + 1), contents]));
}

/**
 * Writes to a temporary file and renames it, so that no reader sees half a file. Leaves a file that has this content
 * already, because a server that watches the folder would reload for it.
 */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const present = await readFile(path).catch(() => undefined);
  if (present?.equals(bytes)) return;
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}.partial`;
  await writeFile(partial, bytes);
  await rename(partial, path);
}

async function removeOthers(kept: ReadonlySet<string>): Promise<void> {
  for (const entry of await readdir(BUILT, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const isOld = !kept.has(path.slice(BUILT.length + 1)) && !path.endsWith(".partial");
    if (entry.isFile() && isOld) await rm(path, { force: true });
  }
}
