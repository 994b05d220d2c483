/** The build for Node, Deno and Bun. */
import type { CollectorOptions } from "../options.ts";
import { process } from "./process.ts";
import { worker } from "./worker.ts";

export const chooseRuntime = ({ waitUntil }: CollectorOptions) => (waitUntil ? worker : process);
