/** Silences: for a time, alerts that match are not told. They are judged and listed all the same. */
import * as z from "zod";
import type { Alert } from "./alert.ts";
import { Selector } from "./rule.ts";
import { matchesPattern, matchesSelector } from "./selector.ts";

export const Silence = z.strictObject({
  rule: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .meta({ description: "The id of a rule. `*` stands for any text." }),
  selector: Selector.default({}),
  startsAt: z.iso.datetime().optional().meta({ description: "Now, if left out." }),
  endsAt: z.iso.datetime(),
  reason: z.string().trim().min(1, { error: "a reason" }).max(1_000),
  by: z.string().max(200).default(""),
});
export type Silence = z.infer<typeof Silence>;

export function isSilenced(alert: Alert, silences: readonly Silence[], nowSeconds: number): boolean {
  return silences.some(
    (silence) =>
      isActive(silence, nowSeconds) &&
      matchesPattern(silence.rule, alert.rule) &&
      matchesSelector(silence.selector, alert),
  );
}

export function isActive({ startsAt, endsAt }: Silence, nowSeconds: number): boolean {
  const now = nowSeconds * 1000;
  return (startsAt === undefined || Date.parse(startsAt) <= now) && Date.parse(endsAt) > now;
}
