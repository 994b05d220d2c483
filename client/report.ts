/** Tells the program of trouble: through the hook it gave, else on the console, once for each kind. */

/** Never throws: a hook's trouble must not become that of the function whose call came upon it. */
export type Tell = <T>(kind: unknown, message: string, hook?: (detail: T) => void, detail?: T) => void;

export function createTell(): Tell {
  const told = new Set();
  return (kind, message, hook, detail) => {
    try {
      if (hook) hook(detail!);
      else if (!told.has(kind)) console.warn(`metrics-collector: ${message}`);
      told.add(kind);
    } catch {
      // There is nobody left to tell.
    }
  };
}
