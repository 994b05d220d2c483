/** How esbuild bundles the client: for one runtime or for all, and with short names for what only the client reads. */
import { join } from "node:path";
import type { BuildOptions, Plugin } from "esbuild";

/** The builds for one runtime, and the export condition that chooses each. All others get the build for any runtime. */
export const CONDITIONS = { worker: "workerd", page: "browser", process: "node" } as const;

export type Target = keyof typeof CONDITIONS | "any";

/**
 * Properties of inner objects. A minifier cannot shorten them, because it does not know that nobody else reads them.
 * WARNING: a name of the public interface or of the platform must not be in this list.
 */
const INNER_NAMES = `
  acknowledge addFailure abortAll advice attempt batches countUnstarted createAlarm deliver endUnmeasured
  endpoint expectStart hasWork horizonMs inFlightUntilMs isBusy isClockFrozen isHandedOver isMuted isPage
  isSettled isSlow isWorker keepAlive keyAt leastMs madeMs makeBatch minute monotonicMs onAttempt onHide
  onLook onShow pauseMs places planRest refuse rejections reportDrop reportError restOf retryAfter
  runDetached sealAtOnce skipBackoff snapshot startMs sums wallMs warnOnce
`
  .trim()
  .split(/\s+/);

const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$";

/** Options of esbuild. The entries of the package pass inner objects to each other, so all have the same short names. */
export function bundleFor(target: Target): BuildOptions & { format: "esm" } {
  return {
    bundle: true,
    format: "esm",
    target: "es2022",
    // Puts numbers in place of their names. A minifier that reads the package cannot do that any more.
    minifySyntax: true,
    mangleProps: new RegExp(`^(${INNER_NAMES.join("|")})$`),
    mangleCache: Object.fromEntries(INNER_NAMES.map((name, place) => [name, LETTERS[place]!])),
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
