/** How long tests wait for what must happen: as long as a slow machine may take, and not the second that is usual. */
import { vi } from "vitest";

const PATIENCE_MS = 15_000;

const waitFor = vi.waitFor.bind(vi);
vi.waitFor = (callback, options) =>
  waitFor(callback, typeof options === "number" ? options : { timeout: PATIENCE_MS, ...options });
