/** D1: databases, SQL against real ones, and the answers of Time Travel and export. */
import { unstable_splitSqlQuery } from "wrangler";
import { ApiError, type ApiRequest, json, paged } from "./answer.ts";
import type { Platform } from "./platform.ts";
import type { Account } from "./state.ts";

interface Statement {
  sql: string;
  params?: unknown[];
}

export async function answerDatabases(
  account: Account,
  request: ApiRequest,
  platform: Platform,
): Promise<unknown> {
  const { method, path, url } = request;
  const [, , , key, part, detail] = path.split("/");
  if (key === undefined) {
    if (method === "GET") {
      const name = url.searchParams.get("name") ?? "";
      return paged(account.databases.filter((database) => database.name.includes(name)).map(shown), request);
    }
    const { name } = json(request) as { name: string };
    if (account.databases.some((database) => database.name === name)) {
      throw new ApiError(400, 7502, `A database with the name '${name}' already exists.`);
    }
    if (account.databases.length >= account.limits.databases) {
      throw new ApiError(400, 7406, "You have reached the maximum number of databases of your plan.");
    }
    const database = { uuid: await platform.newDatabase(), name };
    account.databases.push(database);
    return shown(database);
  }
  const database = account.databases.find(({ uuid, name }) => [uuid, name].includes(decodeURIComponent(key)));
  if (!database) throw new ApiError(404, 7404, `The database ${key} could not be found.`);
  if (part === undefined) {
    if (method !== "DELETE") return shown(database);
    account.databases = account.databases.filter((other) => other !== database);
    return null;
  }
  if (part === "query" || part === "raw") return runQuery(platform, database.uuid, request);
  if (part === "time_travel" && detail === "bookmark") {
    return { bookmark: await platform.bookmark(database.uuid) };
  }
  if (part === "export")
    throw new ApiError(400, 7500, "Export of a database with virtual tables (fts5) is not supported.");
  throw new ApiError(404, 7000, `No route for ${method} ${path}.`);
}

/** Several statements are one transaction, and are answered one by one. */
async function runQuery(platform: Platform, uuid: string, request: ApiRequest): Promise<unknown> {
  const body = json(request) as Statement & { batch?: Statement[] };
  const statements =
    body.batch ?? unstable_splitSqlQuery(body.sql).map((sql) => ({ sql, params: body.params ?? [] }));
  const incomplete = statements.find(({ sql }) => sql.includes("\r\n") && /CREATE TRIGGER/i.test(sql));
  if (incomplete) throw new ApiError(400, 7500, "incomplete input: SQLITE_ERROR");
  const db = await platform.database(uuid);
  try {
    return await db.batch(statements.map(({ sql, params = [] }) => db.prepare(sql).bind(...params)));
  } catch (error) {
    throw new ApiError(400, 7500, (error as Error).message.replace("D1_ERROR: ", ""));
  }
}

const shown = ({ uuid, name }: { uuid: string; name: string }) => ({
  uuid,
  name,
  created_at: "2026-11-01T00:00:00.000Z",
  version: "production",
  file_size: 12_288,
  num_tables: 0,
});
