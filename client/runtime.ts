/** What differs between Node, Workers, browsers, Deno and Bun: found at run time, so that nothing is imported. */

/** Never throws. What begins on one of its clocks and ends on the other makes no sense, and so is unmeasured. */
export function now(): number {
  try {
    return performance.now();
  } catch {
    return Date.now();
  }
}

/** The page that this runs in, if it does. While it is hidden, it may be gone at any moment. */
export function page(): Page | undefined {
  return (globalThis as { document?: Page }).document;
}

/** Of a browser's `Document`, whose types are not known where the client is type-checked for Workers. */
export interface Page {
  readonly hidden: boolean;
  addEventListener?(event: string, listener: () => void): void;
}
