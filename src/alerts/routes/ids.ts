/** Ids of rules, targets and silences in addresses. */
import { ErrorResponse } from "../../http/error-response.ts";
import { RULE_ID } from "../rule.ts";

/** @throws {ErrorResponse} 400 */
export function checkId(id: string): string {
  if (RULE_ID.test(id)) return id;
  throw new ErrorResponse(
    400,
    "invalid_id",
    `${JSON.stringify(id.slice(0, 100))} cannot be an id. It must be 1 to 100 letters, digits, -, _ and ., and begin ` +
      "with a letter or a digit.",
  );
}

export function notFound(what: string, id: string): ErrorResponse {
  return new ErrorResponse(
    404,
    "not_found",
    `There is no ${what} ${JSON.stringify(id)}. GET /alerts lists them.`,
  );
}

export const READ = [400, 401, 403, 404, 429, 503] as const;
export const WRITE = [400, 401, 403, 404, 413, 429, 503] as const;
