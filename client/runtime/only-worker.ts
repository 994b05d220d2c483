/** The build for Workers. */
import { worker } from "./worker.ts";

export const chooseRuntime = () => worker;
