/** What a deployment found and did. */
import type { Checked } from "./check-deployed.ts";

export interface Deployed extends Checked {
  name: string;
  account: string;
  version: string;
  versionId: string | null;
  url: string;
  isFirst: boolean;
  /** What this run created and changed. */
  done: string[];
  /** Time Travel bookmark of the database before this run; null where the database is new. */
  bookmark: string | null;
  tokens: Partial<Record<"ingest" | "read" | "admin", string>>;
  tokensFile: string;
}
