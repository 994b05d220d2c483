/** Discord: a channel's webhook. Its address is the secret. https://docs.discord.com/developers/resources/webhook */
import type { Secrets } from "../target.ts";
import type { Delivery, Message } from "./message.ts";
import { cut, linesOf, linkOf, titleOf } from "./text.ts";

/** Discord allows 2,000 characters. */
const CONTENT = 1_900;

export function buildDiscord(message: Message, { url }: Secrets): Delivery {
  const text = [
    `**${escaped(titleOf(message))}**`,
    ...linesOf(message).map((line) => `- ${escaped(line)}`),
  ].join("\n");
  const link = linkOf(message);
  return {
    url: url!,
    headers: { "Content-Type": "application/json" },
    // No name in the text mentions anybody.
    body: JSON.stringify({
      content: `${cut(text, CONTENT - link.length)}\n<${link}>`,
      allowed_mentions: { parse: [] },
    }),
  };
}

function escaped(text: string): string {
  return text.replaceAll(/[\\*_~`|>]/g, "\\$&");
}
