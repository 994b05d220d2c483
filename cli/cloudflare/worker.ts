/** One Worker over the API: what is deployed, its bindings, secrets and address. */
import { Failure } from "../failure.ts";
import type { CloudflareApi } from "./api.ts";
import { NO_SUBDOMAIN } from "./cloudflare-error.ts";

export interface Binding {
  type: string;
  name: string;
  /** The id of a D1 database. */
  id?: string;
  database_id?: string;
  queue_name?: string;
  class_name?: string;
  text?: string;
}

export interface Deployment {
  id: string;
  created_on: string;
  annotations?: Record<string, string>;
  versions: { version_id: string; percentage: number }[];
}

const NO_SERVICE = 10090;
const NO_SCRIPT = 10007;

export class Worker {
  readonly #api: CloudflareApi;
  readonly #account: string;
  readonly #script: string;
  readonly #service: string;

  constructor(api: CloudflareApi, accountId: string, name: string) {
    this.#api = api;
    this.#account = `/accounts/${accountId}/workers`;
    this.#script = `${this.#account}/scripts/${name}`;
    this.#service = `${this.#account}/services/${name}`;
  }

  /** "hollow" is a service that a first upload left behind without a script: wrangler cannot deploy to it. */
  async state(): Promise<"absent" | "hollow" | "present"> {
    const service = await this.#api.find<{ default_environment?: { script?: object } }>(
      this.#service,
      NO_SERVICE,
      NO_SCRIPT,
    );
    if (!service) return "absent";
    return service.default_environment?.script ? "present" : "hollow";
  }

  async bindings(): Promise<Binding[]> {
    const settings = await this.#api.find<{ bindings?: Binding[] }>(`${this.#script}/settings`, NO_SCRIPT);
    return settings?.bindings ?? [];
  }

  /** Names only: Cloudflare shows nobody what a secret holds. */
  async secretNames(): Promise<string[]> {
    const secrets = await this.#api.find<{ name: string }[]>(`${this.#script}/secrets`, NO_SCRIPT);
    return (secrets ?? []).map(({ name }) => name);
  }

  putSecret(name: string, text: string): Promise<unknown> {
    return this.#api.send("PUT", `${this.#script}/secrets`, { name, text, type: "secret_text" });
  }

  deleteSecret(name: string): Promise<unknown> {
    return this.#api.send("DELETE", `${this.#script}/secrets/${name}`);
  }

  async lastDeployment(): Promise<Deployment | undefined> {
    const found = await this.#api.find<{ deployments: Deployment[] }>(
      `${this.#script}/deployments`,
      NO_SCRIPT,
      NO_SERVICE,
    );
    return found?.deployments[0];
  }

  async crons(): Promise<string[]> {
    const found = await this.#api.find<{ schedules: { cron: string }[] }>(
      `${this.#script}/schedules`,
      NO_SCRIPT,
    );
    return (found?.schedules ?? []).map(({ cron }) => cron);
  }

  /** Whether it answers under workers.dev. */
  async isOnWorkersDev(): Promise<boolean> {
    const found = await this.#api.find<{ enabled: boolean }>(`${this.#script}/subdomain`, NO_SCRIPT);
    return found?.enabled ?? true;
  }

  /** The account's own part of workers.dev. @throws {Failure} where it has none */
  async subdomain(): Promise<string> {
    const found = await this.#api.find<{ subdomain: string }>(`${this.#account}/subdomain`, NO_SCRIPT, 10063);
    if (!found?.subdomain) throw new Failure(NO_SUBDOMAIN);
    return found.subdomain;
  }

  /** Also deletes the Durable Object with everything in it. */
  delete(): Promise<unknown> {
    return this.#api.send("DELETE", `${this.#service}?force=true`);
  }
}
