/** Makes `vi.waitFor` wait up to 15 s by default instead of 1 s, so that tests also pass on a slow machine. */
import { vi } from "vitest";

const PATIENCE_MS = 15_000;

const waitFor = vi.waitFor.bind(vi);
vi.waitFor = (callback, options) =>
  waitFor(callback, typeof options === "number" ? options : { timeout: PATIENCE_MS, ...options });
