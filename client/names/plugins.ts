/// <reference types="node" />
/** Plugins for Vite, Rollup, esbuild and webpack that keep the names of wrapped functions in production builds. */
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { keepNames, type KeepNamesOptions } from "./keep-names.ts";

export type { KeepNamesOptions } from "./keep-names.ts";

const SCRIPT = /\.[cm]?[jt]sx?$/;
const NAME = "metrics-collector-names";

interface RollupPlugin {
  name: string;
  transform(code: string, id: string): { code: string; map: any } | undefined;
}

/** For Vite and Rollup. It works on JavaScript, so it comes after plugins that compile TypeScript. */
export function rollupNames(options?: KeepNamesOptions): RollupPlugin {
  return {
    name: NAME,
    transform: (code, id) => (id.includes("/node_modules/") ? undefined : keepNames(code, options)),
  };
}

export const viteNames = rollupNames;

interface EsbuildBuild {
  esbuild: { transform(code: string, options: object): Promise<{ code: string }> };
  initialOptions: { tsconfigRaw?: unknown; jsx?: unknown; target?: unknown };
  onLoad: (
    options: { filter: RegExp },
    load: (args: { path: string }) => Promise<{ contents: string; loader: "js" } | undefined>,
  ) => void;
}

/** For esbuild. Files that name a collector are compiled to JavaScript first. */
export function esbuildNames(options: KeepNamesOptions = {}): {
  name: string;
  setup(build: EsbuildBuild): void;
} {
  const { collectors = ["metricsCollector"] } = options;
  return {
    name: NAME,
    setup({ esbuild, initialOptions, onLoad }) {
      onLoad({ filter: SCRIPT }, async ({ path }) => {
        const source = await readFile(path, "utf8");
        if (path.includes("/node_modules/") || !collectors.some((name) => source.includes(name)))
          return undefined;
        const { tsconfigRaw, jsx, target = "esnext" } = initialOptions;
        const compiled = await esbuild.transform(source, {
          loader: extname(path).replace(/^\.[cm]?/, ""),
          sourcefile: path,
          sourcemap: "inline",
          // Decorators are compiled too: they are not JavaScript yet.
          target: target === "esnext" ? "es2024" : target,
          ...(tsconfigRaw !== undefined && { tsconfigRaw }),
          ...(jsx !== undefined && { jsx }),
        });
        return { contents: keepNames(compiled.code, options)?.code ?? compiled.code, loader: "js" };
      });
    },
  };
}

interface WebpackCompiler {
  options: { module: { rules: unknown[] } };
}

/** For webpack. This very file is also the loader that it adds. */
export function webpackNames(options: KeepNamesOptions = {}): { apply(compiler: WebpackCompiler): void } {
  const loader = fileURLToPath(import.meta.url);
  return {
    apply({ options: { module } }) {
      module.rules.push({ test: SCRIPT, exclude: /node_modules/, enforce: "post", use: { loader, options } });
    },
  };
}

interface LoaderContext {
  getOptions(): KeepNamesOptions;
  callback(error: null, code: string, map?: unknown): void;
}

/** webpack's loader. */
/* oxlint-disable oxc/no-this-in-exported-function -- that is how webpack calls a loader */
export default function loader(this: LoaderContext, code: string, map: unknown): void {
  const named = keepNames(code, this.getOptions());
  if (named) this.callback(null, named.code, named.map);
  else this.callback(null, code, map);
}
