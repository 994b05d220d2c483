/** Slack: an incoming webhook. Its address is the secret. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
import type { Secrets } from "../target.ts";
import type { Delivery, Message } from "./message.ts";
import { cut, linesOf, linkOf, titleOf } from "./text.ts";

/** Slack allows 3,000 characters of text in a section, and 150 in a header. */
const SECTION = 2_900;
const HEADER = 150;

export function buildSlack(message: Message, { url }: Secrets): Delivery {
  const title = titleOf(message);
  const lines = linesOf(message);
  const blocks: object[] = [{ type: "header", text: { type: "plain_text", text: cut(title, HEADER) } }];
  if (lines.length > 0) {
    const text = cut(lines.map((line) => `• ${escaped(line)}`).join("\n"), SECTION);
    blocks.push({ type: "section", text: { type: "mrkdwn", text } });
  }
  blocks.push({
    type: "context",
    elements: [{ type: "mrkdwn", text: `<${linkOf(message)}|Open the collector>` }],
  });
  return {
    url: url!,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ text: escaped(cut(title, SECTION)), blocks }),
  };
}

/** Slack reads these three as markup, also to mention everybody. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
