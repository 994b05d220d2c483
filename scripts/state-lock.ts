/** Makes sure that one server at a time uses a state folder. Two servers on one folder would each miss data of the other. */
import { rmSync } from "node:fs";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** The processes of a server that was just stopped may need a moment to end. */
const ENDS_WITHIN_MS = 3_000;

export interface StateLock {
  /** Names another process that uses the folder. The lock then holds until that process has ended, too. */
  share(pid: number): Promise<void>;
}

/**
 * Locks the folder until this process exits. The lock is a file that names processes. A lock whose processes have ended
 * does not count.
 *
 * @throws {Error} if another process uses the folder and does not end within three seconds
 */
export async function lockState(folder: string): Promise<StateLock> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, "server.pid");
  const own = `${path}.${process.pid}`;
  const deadline = Date.now() + ENDS_WITHIN_MS;
  await writeFile(own, `${process.pid}\n`);
  while (!(await isCreated(path, own))) {
    const text = await readFile(path, "utf8").catch(() => "");
    const holder = await findHolder(text);
    if (holder === undefined) {
      await removeStale(path, text);
      continue;
    }
    if (Date.now() > deadline) {
      await rm(own, { force: true });
      throw new Error(
        `Another server (process ${holder}) uses the data in ${folder}. ` +
          "Use that server, stop it, or choose another folder: npm start -- --persist-to FOLDER " +
          `(If process ${holder} is not a MetricsCollector, delete ${path}.)`,
      );
    }
    await sleep(100);
  }
  await rm(own);
  process.once("exit", () => rmSync(path, { force: true }));
  return {
    share: async (pid) => {
      await writeFile(own, `${process.pid}\n${pid}\n`);
      await rename(own, path);
    },
  };
}

/** Links instead of writing, so that no other process ever sees a lock without its text. */
async function isCreated(path: string, own: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Removes a lock with this text. If another process has replaced it meanwhile, the new lock stays. */
async function removeStale(path: string, text: string): Promise<void> {
  const removed = `${path}.stale.${process.pid}`;
  try {
    await rename(path, removed);
  } catch {
    return;
  }
  if ((await readFile(removed, "utf8")) !== text) await isCreated(path, removed);
  await rm(removed, { force: true });
}

/** The first process named in a lock that still runs. */
async function findHolder(text: string): Promise<number | undefined> {
  for (const line of text.split("\n"))
    if (Number(line) > 0 && (await isRunning(Number(line)))) return Number(line);
  return undefined;
}

async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  // A process that has ended is listed as a zombie (Z) until its parent notices. Only Linux has /proc.
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return !/\) [ZX] /.test(stat);
}
