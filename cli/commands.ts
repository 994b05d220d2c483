/** Every command, in the order of the help. */
import type { Command } from "./command.ts";
import { deployCommand } from "./commands/deploy.ts";
import { devCommand } from "./commands/dev.ts";

export const commands: Command[] = [devCommand, deployCommand];
