/** Tells the program of trouble: through the hook it gave, else on the console, once for each kind. */

/** Neither throws nor rejects: a hook's trouble must not become that of the function whose call came upon it. */
export type Tell = <T>(
  kind: unknown,
  message: string,
  hook?: (detail: T) => unknown,
  detail?: T,
) => Promise<void>;

export function createTell(): Tell {
  const told = new Set();
  return async (kind, message, hook, detail) => {
    try {
      if (hook) await hook(detail!);
      else if (told.size < told.add(kind).size) console.warn(`metrics-collector: ${message}`);
    } catch {
      // There is nobody left to tell.
    }
  };
}
