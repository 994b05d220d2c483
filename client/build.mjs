/** Builds the package: ES modules, some of them for one runtime, and CommonJS, each entry with types. */
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bundleFor, CONDITIONS } from "./bundle.ts";

const root = dirname(fileURLToPath(import.meta.url));
const dist = (name) => join(root, "dist", name);
/** The package's entries, and the file that each begins with. */
const ENTRIES = {
  index: "index.ts",
  decorators: "decorators.ts",
  spool: "spool/folder.ts",
  "page-spool": "spool/page.ts",
  names: "names/plugins.ts",
};

/** Entries that differ by runtime. */
const COLLECTORS = ["index", "decorators"];

rmSync(dist(""), { recursive: true, force: true });
for (const name of COLLECTORS) {
  for (const target of Object.keys(CONDITIONS)) {
    await build({
      ...bundleFor(target),
      absWorkingDir: root,
      entryPoints: [ENTRIES[name]],
      outfile: dist(`${name}.${target}.js`),
      logLevel: "warning",
    });
  }
}
for (const [name, file] of Object.entries(ENTRIES)) {
  for (const [format, extension] of [
    ["esm", "js"],
    ["cjs", "cjs"],
  ]) {
    await build({
      // The plugin of bundlers contains packages of others, whose names are not ours to shorten.
      ...(name === "names" ? { bundle: true, target: "es2022" } : bundleFor("any")),
      absWorkingDir: root,
      entryPoints: [file],
      outfile: dist(`${name}.${extension}`),
      format,
      external: ["node:*"],
      logLevel: "warning",
      legalComments: "inline",
      // webpack is told the file of the loader.
      define: format === "cjs" ? { "import.meta.url": "__fileUrl" } : {},
      banner:
        format === "cjs" && name === "names"
          ? { js: 'const __fileUrl = require("node:url").pathToFileURL(__filename).href;' }
          : {},
    });
  }
}

const licenseOf = (name) =>
  readFileSync(
    createRequire(import.meta.url)
      .resolve(`${name}/package.json`)
      .replace(/package\.json$/, "LICENSE"),
    "utf8",
  );
writeFileSync(
  dist("names.LICENSES.txt"),
  ["acorn", "magic-string"].map((name) => `names.js contains ${name}:\n\n${licenseOf(name)}`).join("\n"),
);

const tsc = createRequire(import.meta.url).resolve("typescript/package.json");
execFileSync(process.execPath, [join(dirname(tsc), "bin/tsc"), "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit",
});
const emitted = (file) => readFileSync(dist(`types/client/${file.replace(/ts$/, "d.ts")}`), "utf8");
/** One file for each entry. The types of other files are put in, or imported from the main entry. */
const types = {
  index: emitted("options.ts") + withoutImports(emitted("index.ts")),
  decorators: importingMain(withoutImports(emitted("decorators.ts"), "./options.ts")),
  spool: importingMain(emitted("spool/folder.ts")),
  "page-spool": importingMain(withoutImports(emitted("spool/page.ts"), "../options.ts")),
  names:
    withoutImports(emitted("names/keep-names.ts")).replace(/export declare function keepNames[\s\S]*/, "") +
    withoutImports(emitted("names/plugins.ts")),
};
rmSync(dist("types"), { recursive: true });
for (const [name, text] of Object.entries(types)) {
  writeFileSync(dist(`${name}.d.ts`), text);
  writeFileSync(dist(`${name}.d.cts`), text.replaceAll('"./index.js"', '"./index.cjs"'));
}

function withoutImports(text, except = "nothing") {
  return text
    .replace(/^(import|export) (type )?\{[^}]*\} from "([^"]+)";\n/gm, (line, _, __, from) =>
      from === except ? line : "",
    )
    .replace(/^import [^{"]*\{?[^}"]*\}? from "[^"]+";\n/gm, (line) => (line.includes(except) ? line : ""));
}

function importingMain(text) {
  return text.replaceAll(/"\.\.?\/(options|index)\.ts"/g, '"./index.js"').replace(/^\/\/\/.*\n/gm, "");
}
