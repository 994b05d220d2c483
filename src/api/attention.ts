/** `GET /attention`: lists the functions that need attention. The answer takes no range and is the same for all readers. */
import * as z from "zod";
import { READ_ERRORS, route } from "../http/route.ts";
import { type AttentionItem, readAttention } from "../read/attention.ts";
import { mutesNow } from "../read/mutes.ts";
import type { Mute } from "../store/mutes.ts";
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
          .meta({ description: "When it began. Null if it began before the history that is known." }),
        isNew: z
          .boolean()
          .meta({ description: "False if it has lasted so long that it is the function's usual state." }),
        calls: z
          .int()
          .meta({ description: "In the last hour, or in the last six hours if the last hour has no calls." }),
        errors: z.int(),
        errorRate: rate,
        usualErrorRate: rate.meta({ description: "Over the past week. Null if it has too few calls." }),
        p95Ms: rate.meta({ description: "Over the last quarter of an hour, if the function is slower." }),
        usualP95Ms: rate.meta({ description: "At this hour of earlier days, if the function is slower." }),
        lastSeen: z.iso.datetime(),
        usualGapSeconds: rate.meta({
          description: "The longest usual pause at this hour, if the function is silent.",
        }),
        sentence: z.string(),
        mute: z
          .object({ until: z.iso.datetime(), reason: z.string() })
          .nullable()
          .meta({ description: "Set if a person has muted it. See `PUT /attention/mute`." }),
      }),
    )
    .meta({
      description:
        "The most urgent first: new before usual, then failing before silent before slower, then the worst. " +
        "Muted ones come last.",
    }),
  unknown: z
    .array(z.object({ ...Identity.shape, kind: Kind, reason: z.string() }))
    .meta({ description: "Functions that cannot be judged yet, and why." }),
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
    const [{ items, unknown }, muteOf] = await Promise.all([readAttention(c.env, now), mutesNow(c.env, now)]);
    const all = items.map((item) => itemOf(item, muteOf(item), now));
    const [loud = [], muted = []] = [false, true].map((is) =>
      all.filter(({ mute }) => (mute !== null) === is),
    );
    return { at: new Date(now).toISOString(), items: [...loud, ...muted], unknown };
  },
});

function itemOf(item: AttentionItem, mute: Mute | undefined, now: number): Attention["items"][number] {
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
    mute: mute ? { until: new Date(mute.until).toISOString(), reason: mute.reason } : null,
  };
}

function rounded(value: number | null): number | null {
  return value === null ? null : round(value);
}
