/// <reference types="node" />
/**
 * Keeps what is unsent in a folder (Node, Deno, Bun), so that it survives `process.exit()`, a crash, a signal, and all but
 * the last seconds before a SIGKILL. The next process that uses the folder sends it.
 */
import { randomUUID } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { startIdleTimer } from "../clock.ts";
import type { Spool } from "../options.ts";
import { createStore, type Parts, restore, type StoredBatch } from "./unsent.ts";

export interface FolderSpoolOptions {
  /** Where files are kept. It is made if need be. Processes may share it; it should not be in a temporary folder. */
  folder: string;
  /** Milliseconds between two writes: what a SIGKILL can lose. Default: 2,000. */
  everyMs?: number;
}

/** A process of another machine counts as ended when it has not touched its file for so long. */
const ABANDONED_MS = 600_000;
const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
/** The host, the process id, and what distinguishes two processes with the same id. */
const NAME = /^(.*)~(\d+)~[\w-]+\.json$/;

/** Files of this process. Another collector in it must not take them over. */
const own = new Set<string>();

export function createFolderSpool({ folder, everyMs = 2_000 }: FolderSpoolOptions): Spool {
  const host = hostname().replace(/[^\w.-]/g, "_");
  const claim = (): string => {
    const name = `${host}~${process.pid}~${randomUUID()}.json`;
    own.add(name);
    return name;
  };
  const path = join(folder, claim());
  /** A write replaces the file at once, so that a reader never sees half of it. */
  const write = (stored: readonly StoredBatch[]): void => {
    if (stored.length === 0) {
      rmSync(path, { force: true });
      return;
    }
    writeFileSync(`${path}.new`, JSON.stringify(stored));
    renameSync(`${path}.new`, path);
  };
  return {
    attach(parts: Parts) {
      const store = createStore(parts, write);
      try {
        mkdirSync(folder, { recursive: true });
        const left = readdirSync(folder).filter((name) => !own.has(name) && isLeftBehind(folder, name, host));
        const taken = left.flatMap((name) => takeOver(join(folder, name), join(folder, claim())));
        for (const file of taken) restore(parts, read(file));
        // From here on, this process's own file has them.
        store();
        for (const file of taken) rmSync(file, { force: true });
      } catch (error) {
        parts.reporter.reportError("spool", `The spool ${folder} cannot be used: ${String(error)}`);
      }
      const storeAgain = (): void => {
        store();
        touch(path);
        startIdleTimer(storeAgain, everyMs);
      };
      startIdleTimer(storeAgain, everyMs);
      storeAtEnd(store);
      return store;
    },
  };
}

/** `process.exit()`, the end of the program and a crash emit `exit`. Signals do not: they end the process at once. */
function storeAtEnd(store: () => void): void {
  process.on("exit", store);
  for (const signal of SIGNALS) {
    const onSignal = (): void => {
      store();
      // A listener keeps the process alive. Unless the program has one of its own, it ends as it would have without this one.
      if (process.listenerCount(signal) > 1) return;
      process.off(signal, onSignal);
      process.kill(process.pid, signal);
    };
    process.on(signal, onSignal);
  }
}

function isLeftBehind(folder: string, name: string, host: string): boolean {
  const [, owner, pid] = NAME.exec(name) ?? [];
  if (owner === undefined) return false;
  try {
    if (owner !== host) return Date.now() - statSync(join(folder, name)).mtimeMs > ABANDONED_MS;
    // In a container that has restarted, this process can have the id of the one before.
    if (Number(pid) === process.pid) return true;
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

/** Makes the file one of this process. That succeeds for one process only, if several find the same file. */
function takeOver(file: string, taken: string): string[] {
  try {
    renameSync(file, taken);
    return [taken];
  } catch {
    return [];
  }
}

function read(file: string): StoredBatch[] {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as StoredBatch[];
  } catch {
    // Not a file of a spool.
    return [];
  }
}

function touch(path: string): void {
  try {
    utimesSync(path, new Date(), new Date());
  } catch {
    // There is nothing to keep.
  }
}
