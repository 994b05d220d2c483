/** The folder that holds everything of a local collector, used by one process at a time. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { EXIT } from "../exit-codes.ts";
import { Failure } from "../failure.ts";

export interface DataFolder extends AsyncDisposable {
  path: string;
}

/** @throws {Failure} "undecided" while another process uses it: two would damage the data */
export async function openDataFolder(given: string): Promise<DataFolder> {
  const path = resolve(given);
  await mkdir(path, { recursive: true });
  // So that nobody commits the data by accident.
  await writeFile(join(path, ".gitignore"), "*\n");
  const lock = join(path, "dev.pid");
  if (!(await take(lock))) {
    const owner = Number(await readFile(lock, "utf8").catch(() => ""));
    if (isRunning(owner)) {
      throw new Failure(
        `${path} is in use by another "metrics-collector dev" (process ${owner}). Stop that one, or give another folder with --data.`,
        EXIT.undecided,
      );
    }
    // Its owner was killed.
    await rm(lock, { force: true });
    if (!(await take(lock)))
      throw new Failure(`${path} was taken by another process at this moment. Try again.`);
  }
  return { path, [Symbol.asyncDispose]: () => rm(lock, { force: true }) };
}

async function take(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
