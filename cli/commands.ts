/** Every command, in the order of the help. */
import type { Command } from "./command.ts";
import { backupCommand } from "./commands/backup.ts";
import { deployCommand } from "./commands/deploy.ts";
import { destroyCommand } from "./commands/destroy.ts";
import { devCommand } from "./commands/dev.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { repairCommand } from "./commands/repair.ts";
import { exportCommand } from "./commands/export.ts";
import { restoreCommand } from "./commands/restore.ts";
import { statusCommand } from "./commands/status.ts";
import { tokensCommand } from "./commands/tokens.ts";

export const commands: Command[] = [
  devCommand,
  deployCommand,
  statusCommand,
  tokensCommand,
  backupCommand,
  restoreCommand,
  exportCommand,
  doctorCommand,
  repairCommand,
  destroyCommand,
];
