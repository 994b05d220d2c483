/** Every command, in the order of the help. */
import type { Command } from "./command.ts";
import { deployCommand } from "./commands/deploy.ts";

export const commands: Command[] = [deployCommand];
