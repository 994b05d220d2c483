/** The build for pages. */
import { page } from "./page.ts";

export const chooseRuntime = () => page;
