/** How esbuild bundles the client: for one runtime or for all. */
import { join } from "node:path";
import type { BuildOptions, Plugin } from "esbuild";

/** The builds for one runtime, and the export condition that chooses each. All others get the build for any runtime. */
export const CONDITIONS = { worker: "workerd", page: "browser", process: "node" } as const;

export type Target = keyof typeof CONDITIONS | "any";

export function bundleFor(target: Target): BuildOptions & { format: "esm" } {
  return {
    bundle: true,
    format: "esm",
    target: "es2022",
    // Puts numbers in place of their names. A minifier that reads the package cannot do that any more.
    minifySyntax: true,
    plugins: [runtimeOf(target)],
  };
}

/** Puts the runtime of the target in place of the file that chooses one. */
export function runtimeOf(target: Target): Plugin {
  return {
    name: "runtime",
    setup(build) {
      if (target === "any") return;
      const path = join(import.meta.dirname, `runtime/only-${target}.ts`);
      build.onResolve({ filter: /\/runtime\/any\.ts$/ }, () => ({ path }));
    },
  };
}
