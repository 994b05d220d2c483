/** What the stand-in for Cloudflare remembers: accounts with their databases, queues, Workers and tokens. */
import { randomUUID } from "node:crypto";

export interface Binding {
  [field: string]: unknown;
  type: string;
  name: string;
}

export interface Version {
  id: string;
  createdOn: string;
  mainModule: string;
  modules: Map<string, Uint8Array>;
  bindings: Binding[];
  compatibilityDate: string;
  /** Paths of the static files, each with the hash of its content. */
  assets: Record<string, string>;
  annotations: Record<string, string>;
  exports: Record<string, { type?: string; storage?: string }>;
}

export interface Script {
  tag: string;
  /** Undefined for a service that a broken first upload left behind. */
  version: Version | undefined;
  deployments: { id: string; created_on: string; versionId: string; annotations: Record<string, string> }[];
  secrets: Map<string, string>;
  crons: string[];
  isOnWorkersDev: boolean;
}

export interface Database {
  uuid: string;
  name: string;
}

export interface Consumer {
  consumer_id: string;
  script: string;
  settings: Record<string, number>;
  dead_letter_queue?: string;
}

export interface Queue {
  queue_id: string;
  queue_name: string;
  consumers: Consumer[];
}

export interface Account {
  id: string;
  /** Differs after each reset, so that no Worker meets the objects and queues of an earlier one. */
  world: string;
  name: string;
  subdomain: string | undefined;
  databases: Database[];
  queues: Queue[];
  scripts: Map<string, Script>;
  /** Contents of static files, by hash. */
  assets: Map<string, Uint8Array>;
  /** As the plan limits them. */
  limits: { databases: number; crons: number };
}

/** The permissions that an API token can have here, as the dashboard names them. */
export const PERMISSIONS = [
  "Workers Scripts Edit",
  "D1 Edit",
  "Queues Edit",
  "Account Settings Read",
  "Memberships Read",
  "Account Analytics Read",
] as const;
export type Permission = (typeof PERMISSIONS)[number];

export function newAccount(id: string, name: string): Account {
  return {
    id,
    world: randomUUID(),
    name,
    subdomain: "example",
    databases: [],
    queues: [],
    scripts: new Map(),
    assets: new Map(),
    limits: { databases: 10, crons: 5 },
  };
}
