/** What a message says, for targets that show text. */
import { type Alert, subjectOf, WHOLE } from "../alert.ts";
import { span } from "../judge/words.ts";
import type { Message } from "./message.ts";

/** Alerts that one message lists. The rest is counted. */
const LISTED = 15;

export function titleOf({ kind, service, firing, over }: Message): string {
  if (kind === "test") return `Test: alerts of ${service} arrive here`;
  const [first = over[0]!] = firing;
  const all = firing.length > 0 ? firing : over;
  const what = all.length === 1 ? subjectOf(first) : `${all.length} alerts of ${service}`;
  if (firing.length === 0) return `Over: ${first.name} – ${what}`;
  const names = [...new Set(firing.map(({ name }) => name))];
  return `${kind === "repeat" ? "Still firing" : "Firing"}: ${names.slice(0, 3).join(", ")} – ${what}`;
}

/** One line for each alert. */
export function linesOf({ firing, over, at }: Message): string[] {
  const lines = [
    ...firing.map((alert) => `${subjectOf(alert)}: ${alert.sentence}`),
    ...over.map((alert) => `${subjectOf(alert)}: over after ${lasted(alert, at)}. ${alert.sentence}`),
  ];
  const more = lines.length - LISTED;
  return more > 0 ? [...lines.slice(0, LISTED), `… and ${more} more.`] : lines;
}

/** The most urgent severity in the message. */
export function severityOf({ firing, over }: Message): Alert["severity"] {
  const all = [...firing, ...over].map(({ severity }) => severity);
  return all.includes("page") ? "page" : all.includes("ticket") ? "ticket" : "info";
}

/** The page of the function, or of all alerts if there are several. */
export function linkOf({ origin, firing, over }: Message): string {
  const all = [...firing, ...over];
  const [one] = all;
  if (all.length !== 1 || !one || one.function === WHOLE) return `${origin}/?page=alerts`;
  const { service, module, function: name } = one;
  const query = new URLSearchParams({ service, module, function: name });
  return `${origin}/?${query.toString()}`;
}

export function lasted(alert: Alert, at: number): string {
  return span(Math.max(0, at - (alert.state.firedAt ?? alert.state.activeAt)));
}

/** Cuts a text to so many UTF-16 code units, and not within a character. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text
    .slice(0, length - 1)
    .toWellFormed()
    .replace(/\uFFFD$/, "")}…`;
}
