/** Writes a request to the query API as a curl command. The token stays out of the clipboard. */
import { token } from "../api/session.ts";

export function curlFor(path: string, parameters: Record<string, string>): string {
  const parts = [
    `curl ${quoted(new URL(path, location.href).href)}`,
    ...(token() === null ? [] : ['-H "Authorization: Bearer $READ_TOKEN"']),
    ...Object.entries(parameters).map(([name, value]) => `--data-urlencode ${quoted(`${name}=${value}`)}`),
  ];
  return parts.join(" \\\n  ");
}

/** For a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
