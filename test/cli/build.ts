/** Builds the Worker once, before all tests: each command would otherwise build it if it is not fresh. */
import { build } from "../../cli/build.ts";

const shared = globalThis as { building?: Promise<void> };

/** Each project that needs the bundle runs this at its start, and all of them wait for one build. */
export default (): Promise<void> => (shared.building ??= build());
