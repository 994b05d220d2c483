/**
 * What this machine knows of one installation: its tokens, which Cloudflare shows nobody, and its address. One folder
 * per account and name, readable by its owner only.
 */
import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { Failure } from "./failure.ts";
import type { TokenEntry } from "./tokens/token-entry.ts";

export interface Knowledge {
  version: 1;
  /** Where the Worker answers. */
  url?: string;
  /** WARNING: a token is written here before it is set as a secret, or an interruption leaves one that nobody knows. */
  tokens: TokenEntry[];
  /** Time Travel bookmarks of the database, taken before each deployment; the newest last. */
  bookmarks: { at: string; bookmark: string; version: string }[];
}

const BOOKMARKS_KEPT = 20;

export class InstallationRecord {
  readonly folder: string;
  readonly path: string;

  constructor(accountId: string, name: string) {
    this.folder = join(home(), accountId, name);
    this.path = join(this.folder, "installation.json");
  }

  async read(): Promise<Knowledge> {
    try {
      const record = JSON.parse(await readFile(this.path, "utf8")) as Partial<Knowledge>;
      return { version: 1, tokens: [], bookmarks: [], ...record };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT")
        return { version: 1, tokens: [], bookmarks: [] };
      throw new Failure(
        `${this.path} cannot be read: ${(error as Error).message} It holds this installation's tokens; repair it, or move it away.`,
      );
    }
  }

  /** Whole or not at all: a command that is killed leaves the file as it was. */
  async write(record: Knowledge): Promise<void> {
    await this.writePrivate(
      "installation.json",
      `${JSON.stringify({ ...record, bookmarks: record.bookmarks.slice(-BOOKMARKS_KEPT) }, null, 2)}\n`,
    );
  }

  /** Writes a file that its owner alone can read. Gives its path. */
  async writePrivate(name: string, text: string): Promise<string> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    await chmod(this.folder, 0o700);
    const path = join(this.folder, name);
    const partial = `${path}.${process.pid}.partial`;
    await writeFile(partial, text, { mode: 0o600 });
    await rename(partial, path);
    return path;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

function home(): string {
  const { METRICS_COLLECTOR_HOME, XDG_CONFIG_HOME, APPDATA } = process.env;
  return (
    METRICS_COLLECTOR_HOME ||
    join(XDG_CONFIG_HOME || APPDATA || join(homedir(), ".config"), "metrics-collector")
  );
}
