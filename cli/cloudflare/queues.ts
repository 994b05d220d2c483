/** Queues over the API: find, create, delete, and who consumes them. */
import type { CloudflareApi } from "./api.ts";
import { isCode } from "./cloudflare-error.ts";

export interface Consumer {
  consumer_id: string;
  type?: string;
  script?: string;
  service?: string;
}

export interface Queue {
  queue_id: string;
  queue_name: string;
  consumers?: Consumer[];
}

const NAME_TAKEN = 11009;

export class Queues {
  readonly #api: CloudflareApi;
  readonly #path: string;

  constructor(api: CloudflareApi, accountId: string) {
    this.#api = api;
    this.#path = `/accounts/${accountId}/queues`;
  }

  async find(name: string): Promise<Queue | undefined> {
    const found = await this.#api.list<Queue>(`${this.#path}?name=${encodeURIComponent(name)}`);
    return found.find((queue) => queue.queue_name === name);
  }

  /** Names are unique in an account, so a create whose answer was lost is found by its name. */
  async create(name: string): Promise<Queue> {
    try {
      return await this.#api.send<Queue>("POST", this.#path, { queue_name: name });
    } catch (error) {
      const existing = isCode(error, NAME_TAKEN) ? await this.find(name) : undefined;
      if (existing) return existing;
      throw error;
    }
  }

  removeConsumer(queueId: string, consumerId: string): Promise<unknown> {
    return this.#api.send("DELETE", `${this.#path}/${queueId}/consumers/${consumerId}`);
  }

  delete(queueId: string): Promise<unknown> {
    return this.#api.send("DELETE", `${this.#path}/${queueId}`);
  }
}

/** The Worker that consumes a queue. The API has named it by either field. */
export const consumerOf = ({ script, service }: Consumer): string | undefined => script ?? service;
