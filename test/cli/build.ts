/** Builds the Worker once, before all tests: each command would otherwise build it if it is not fresh. */
import { build } from "../../cli/build.ts";

export default build;
