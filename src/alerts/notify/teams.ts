/** Microsoft Teams: a workflow that takes an adaptive card. Its address is the secret. */
import type { Secrets } from "../target.ts";
import type { Delivery, Message } from "./message.ts";
import { cut, linesOf, linkOf, severityOf, titleOf } from "./text.ts";

/** Teams refuses cards above some 24 KB. A message has up to 17 lines, and a character up to three bytes. */
const LINE = 400;

export function buildTeams(message: Message, { url }: Secrets): Delivery {
  const isOver = message.firing.length === 0;
  const color = isOver ? "good" : severityOf(message) === "page" ? "attention" : "warning";
  const text = (line: string, style: object = {}) => ({
    type: "TextBlock",
    text: escaped(cut(line, LINE)),
    wrap: true,
    ...style,
  });
  const content = {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.4",
    body: [
      text(titleOf(message), { weight: "bolder", size: "medium", color }),
      ...linesOf(message).map((line) => text(line)),
    ],
    actions: [{ type: "Action.OpenUrl", title: "Open the collector", url: linkOf(message) }],
  };
  return {
    url: url!,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      type: "message",
      attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", content }],
    }),
  };
}

/** A card shows some Markdown. */
function escaped(text: string): string {
  return text.replaceAll(/[\\*_[\]`]/g, "\\$&");
}
