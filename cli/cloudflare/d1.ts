/** D1 databases over the API: find, create, query, and the Time Travel bookmark. */
import { Failure } from "../failure.ts";
import type { CloudflareApi } from "./api.ts";
import { isCode } from "./cloudflare-error.ts";

export interface Database {
  uuid: string;
  name: string;
  file_size?: number;
}

export interface Query {
  sql: string;
  params?: (string | number | null)[];
}

export interface QueryResult<Row> {
  results: Row[];
  success: boolean;
  meta: { rows_read?: number; rows_written?: number; size_after?: number };
}

const ABSENT = 7404;
const NAME_TAKEN = 7502;

export class D1 {
  readonly #api: CloudflareApi;
  readonly #path: string;

  constructor(api: CloudflareApi, accountId: string) {
    this.#api = api;
    this.#path = `/accounts/${accountId}/d1/database`;
  }

  async findByName(name: string): Promise<Database | undefined> {
    // The API filters by a part of the name.
    const found = await this.#api.list<Database>(`${this.#path}?name=${encodeURIComponent(name)}`);
    return found.find((database) => database.name === name);
  }

  findById(uuid: string): Promise<Database | undefined> {
    return this.#api.find<Database>(`${this.#path}/${uuid}`, ABSENT);
  }

  /** Names are unique in an account, so a create whose answer was lost is found by its name. */
  async create(name: string): Promise<Database> {
    try {
      return await this.#api.send<Database>("POST", this.#path, { name });
    } catch (error) {
      const existing = isCode(error, NAME_TAKEN) ? await this.findByName(name) : undefined;
      if (existing) return existing;
      throw error;
    }
  }

  delete(uuid: string): Promise<unknown> {
    return this.#api.send("DELETE", `${this.#path}/${uuid}`);
  }

  /** Runs the statements as one transaction. WARNING: it may run twice, so each must be safe to repeat. */
  async query<Row>(uuid: string, ...queries: Query[]): Promise<QueryResult<Row>[]> {
    const body = queries.length === 1 ? queries[0] : { batch: queries };
    const results = await this.#api.send<QueryResult<Row>[]>("POST", `${this.#path}/${uuid}/query`, body);
    if (results.length !== queries.length) {
      throw new Failure(`D1 answered ${results.length} results to ${queries.length} statements.`);
    }
    return results;
  }

  /** Names the database's present state, to go back to with Time Travel. */
  async bookmark(uuid: string): Promise<string> {
    return (await this.#api.get<{ bookmark: string }>(`${this.#path}/${uuid}/time_travel/bookmark`)).bookmark;
  }
}
