/** Keeps in a page's `sessionStorage` or `localStorage` what the browser did not take when the page was left. */
import type { Spool } from "../options.ts";
import { createStore, type Parts, restore, type StoredBatch } from "./unsent.ts";

export interface PageStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** The next page of the same origin that uses the storage sends it. WARNING: only one page at a time may use a key. */
export function createPageSpool(storage: PageStorage, key = "metrics-collector"): Spool {
  return {
    attach(parts: Parts) {
      try {
        restore(parts, JSON.parse(storage.getItem(key) ?? "[]") as StoredBatch[]);
      } catch (error) {
        parts.reporter.reportError("spool", `The page's storage cannot be read: ${String(error)}`);
      }
      return createStore(parts, (stored) => {
        if (stored.length) storage.setItem(key, JSON.stringify(stored));
        else storage.removeItem(key);
      });
    },
  };
}
