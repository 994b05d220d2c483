/** What differs between Node, Workers, browsers, Deno and Bun. It is looked up at run time, so that nothing is imported. */

export interface NodeProcess {
  env?: Record<string, string | undefined>;
  on?(event: string, listener: () => void): void;
  off?(event: string, listener: () => void): void;
  getActiveResourcesInfo?(): string[];
  getBuiltinModule?(name: string): unknown;
}

export interface PageEvent {
  readonly type: string;
  readonly persisted?: boolean;
}

interface Globals {
  process?: NodeProcess;
  document?: { readonly hidden?: boolean };
  addEventListener?(name: string, listener: (event: PageEvent) => void): void;
  removeEventListener?(name: string, listener: (event: PageEvent) => void): void;
  WebSocketPair?: unknown;
  CompressionStream?: unknown;
  location?: { href: string };
}

export const platform = globalThis as Globals;

/** Whether this program runs in a page, which can be gone at any moment once it is hidden. */
export function isPage(): boolean {
  return !!(platform.document && platform.addEventListener);
}
