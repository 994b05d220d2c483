/** ntfy: a message to a topic. https://docs.ntfy.sh/publish */
import { type Secrets, urlOf } from "../target.ts";
import type { Delivery, Message } from "./message.ts";
import { cut, linesOf, linkOf, severityOf, titleOf } from "./text.ts";

const PRIORITIES = { page: 5, ticket: 3, info: 2 } as const;
/** Above 4,096 bytes ntfy makes a file of it. A character has up to three bytes here. */
const MESSAGE = 1_200;

export function buildNtfy(message: Message, topic: string, secrets: Secrets): Delivery {
  const isOver = message.firing.length === 0;
  return {
    url: urlOf({ type: "ntfy" }, secrets)!,
    headers: {
      "Content-Type": "application/json",
      ...(secrets.token === undefined ? {} : { Authorization: `Bearer ${secrets.token}` }),
    },
    body: JSON.stringify({
      topic,
      title: cut(titleOf(message), 250),
      message: cut(linesOf(message).join("\n") || titleOf(message), MESSAGE),
      priority: isOver ? 3 : PRIORITIES[severityOf(message)],
      tags: [isOver ? "white_check_mark" : "rotating_light"],
      click: linkOf(message),
    }),
  };
}
