/**
 * Chooses the runtime when a collector is made. The build replaces this file by one of those beside it, according to the
 * export condition, so that no program carries the others' code.
 */
import type { CollectorOptions } from "../options.ts";
import { isPage, platform } from "../platform.ts";
import { page } from "./page.ts";
import { process } from "./process.ts";
import type { Runtime } from "./runtime.ts";
import { worker } from "./worker.ts";

export function chooseRuntime({ waitUntil }: CollectorOptions): Runtime {
  if (waitUntil || platform.WebSocketPair) return worker;
  return isPage() ? page : process;
}
