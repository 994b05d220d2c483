/** Email through Cloudflare's binding. */
import type { Message } from "./message.ts";
import { cut, linesOf, linkOf, titleOf } from "./text.ts";

export interface Email {
  from: string;
  to: string[];
  subject: string;
  text: string;
  headers: Record<string, string>;
}

export function buildEmail(message: Message, { from, to }: { from: string; to: string[] }): Email {
  const lines = linesOf(message);
  return {
    from,
    to,
    // A line break would begin another header.
    subject: cut(titleOf(message).replaceAll(/\s+/g, " "), 200),
    text: `${[titleOf(message), "", ...lines.map((line) => `- ${line}`), "", linkOf(message)].join("\n")}\n`,
    headers: { "X-Message-Id": message.id },
  };
}
