/** `GET /attention`: what needs attention. The answer does not depend on who reads it, or on a range. */
import * as z from "zod";
import { READ_ERRORS, route } from "../http/route.ts";
import { type AttentionItem, readAttention } from "../read/attention.ts";
import { KINDS } from "../stats/attention.ts";
import { sentenceOf } from "../stats/attention-sentence.ts";
import { errorRate, Identity, round } from "./function-metrics.ts";
import { isoTime } from "./iso-time.ts";

const rate = z.number().nullable();
const Kind = z.enum(KINDS);

export const Attention = z.object({
  at: z.iso.datetime().meta({ description: "The server's time of the judgement." }),
  items: z
    .array(
      z.object({
        ...Identity.shape,
        kind: Kind,
        since: z.iso
          .datetime()
          .nullable()
          .meta({ description: "When it began. Null if that is before the history that was looked at." }),
        isNew: z.boolean().meta({ description: "False if the function has been so for long, or always." }),
        calls: z.int().meta({ description: "In the last hour, or the last six if that has no calls." }),
        errors: z.int(),
        errorRate: rate,
        usualErrorRate: rate.meta({ description: "Over the past week, or null if little is known of it." }),
        p95Ms: rate.meta({ description: "Of the last quarter of an hour, if the function is slower." }),
        usualP95Ms: rate.meta({ description: "At this hour of earlier days, if the function is slower." }),
        lastSeen: z.iso.datetime(),
        usualGapSeconds: rate.meta({
          description: "The longest usual pause at this hour, if the function is silent.",
        }),
        sentence: z.string(),
      }),
    )
    .meta({
      description:
        "What a person should look at first comes first: new before usual, failing before silent before slower, then " +
        "the worst.",
    }),
  unknown: z
    .array(z.object({ ...Identity.shape, kind: Kind, reason: z.string() }))
    .meta({ description: "What cannot be judged yet, and why." }),
});
export type Attention = z.infer<typeof Attention>;

export const attentionRoute = route({
  method: "get",
  path: "/attention",
  right: "read",
  summary: "What needs attention",
  description:
    "Judges each function against its own past: since when it fails, is silent, or is slower. Functions that were not " +
    "called for 28 days are left out.",
  query: z.strictObject({}),
  answer: Attention,
  errors: READ_ERRORS,
  handler: async (c) => {
    const now = Date.now();
    const { items, unknown } = await readAttention(c.env, now);
    return { at: new Date(now).toISOString(), items: items.map((item) => itemOf(item, now)), unknown };
  },
});

function itemOf(item: AttentionItem, now: number): Attention["items"][number] {
  const { service, module, function: name, kind, since, isNew, calls, errors, usualGapSeconds } = item;
  return {
    service,
    module,
    function: name,
    kind,
    since: since === null ? null : isoTime(since),
    isNew,
    calls,
    errors,
    errorRate: errorRate(item),
    usualErrorRate: rounded(item.usualErrorRate),
    p95Ms: rounded(item.p95Ms),
    usualP95Ms: rounded(item.usualP95Ms),
    lastSeen: new Date(item.lastSeen).toISOString(),
    usualGapSeconds: usualGapSeconds === null ? null : Math.round(usualGapSeconds),
    sentence: sentenceOf(item, item.lastSeen, now),
  };
}

function rounded(value: number | null): number | null {
  return value === null ? null : round(value);
}
