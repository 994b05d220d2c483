/** Reads the JSON body of a request and checks it. */
import type { Context } from "hono";
import type * as z from "zod";
import { ErrorResponse } from "./error-response.ts";
import type { HttpEnv } from "./route.ts";

/** Bytes. */
const MAX_LENGTH = 64 * 1024;

/** @throws {ErrorResponse} 400 with the first thing that is wrong, 413 if the body is too long */
export async function readJson<Schema extends z.ZodType>(
  c: Context<HttpEnv>,
  schema: Schema,
  what: string,
): Promise<z.output<Schema>> {
  const text = await readText(c.req.raw);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ErrorResponse(400, "not_json", `The body is not JSON. It must be ${what} as a JSON object.`);
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const where =
    issue.path.length > 0 ? `The field ${issue.path.join(".")} of ${what}` : `The JSON of ${what}`;
  throw new ErrorResponse(400, "invalid_field", `${where} is not allowed: ${sayWhy(issue)}`);
}

function sayWhy(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") return `there is no field ${JSON.stringify(issue.keys[0])}.`;
  const text = issue.message.replace(/^Invalid input: /, "");
  return /^[a-z]/.test(text) ? `it must be ${text.replace(/\.$/, "")}.` : `${text.replace(/\.$/, "")}.`;
}

async function readText(request: Request): Promise<string> {
  const tooLong = () =>
    new ErrorResponse(413, "too_long", `The body is longer than ${MAX_LENGTH / 1024} KiB.`);
  if (Number(request.headers.get("Content-Length") ?? 0) > MAX_LENGTH) throw tooLong();
  const reader = request.body?.getReader();
  if (!reader) return "";
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  while (true) {
    const { value, done } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += (value as Uint8Array).length;
    if (bytes > MAX_LENGTH) throw tooLong();
    text += decoder.decode(value as Uint8Array, { stream: true });
  }
}
