/** Loads the client anew. It takes its clock and timers when it loads, so a test sets up fake ones first. */
import { vi } from "vitest";

export async function loadClient(): Promise<typeof import("../../client/index.ts")> {
  vi.resetModules();
  return import("../../client/index.ts");
}
