/** What differs between Node, Workers, browsers, Deno and Bun. It is looked up at run time, so that nothing is imported. */

export interface NodeProcess {
  env?: Record<string, string | undefined>;
  on?(event: string, listener: () => void): void;
  off?(event: string, listener: () => void): void;
  getActiveResourcesInfo?(): string[];
  getBuiltinModule?(name: string): unknown;
}

export interface Page {
  readonly hidden?: boolean;
  readonly visibilityState?: string;
}

interface Globals {
  process?: NodeProcess;
  document?: Page;
  addEventListener?(event: string, listener: (event: { persisted?: boolean }) => void): void;
  removeEventListener?(event: string, listener: (event: { persisted?: boolean }) => void): void;
  WebSocketPair?: unknown;
  CompressionStream?: unknown;
  location?: { href: string };
}

export const platform = globalThis as Globals;

/** Whether this program runs in a page, which can be gone at any moment once it is hidden. */
export function isPage(): boolean {
  return !!(platform.document && platform.addEventListener);
}

/**
 * Whether the clock stands still between I/O, so that a duration of 0 says nothing. Workers do this. In browsers the
 * clock moves by itself, in steps; there a duration of 0 means "shorter than a step".
 */
export function isClockFrozen(): boolean {
  return !!platform.WebSocketPair;
}
