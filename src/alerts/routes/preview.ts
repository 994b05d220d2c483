/** `POST /alerts/preview`: says how often a rule would have fired in the last seven days. Stores nothing. */
import * as z from "zod";
import { route } from "../../http/route.ts";
import { previewRule } from "../preview.ts";
import { Rule } from "../rule.ts";
import { readJson } from "../../http/read-json.ts";
import { iso } from "./times.ts";

const time = z.iso.datetime();

export const PreviewAnswer = z.object({
  from: time,
  to: time,
  selected: z.int().meta({ description: "How many functions the rule selects." }),
  times: z.int().meta({ description: "How often it would have fired, over all functions that were judged." }),
  functions: z.array(
    z.object({
      service: z.string(),
      module: z.string(),
      function: z.string(),
      firings: z.array(z.object({ firedAt: time, endedAt: time.nullable(), sentence: z.string() })),
    }),
  ),
  note: z.string().nullable(),
});
export type PreviewAnswer = z.infer<typeof PreviewAnswer>;

export const previewRuleRoute = route({
  method: "post",
  path: "/alerts/preview",
  right: "read",
  summary: "How often a rule would have fired in the last seven days",
  description:
    "Minutes are known for two days. The calls of older hours are taken to be spread evenly over the hour, so a fault of a " +
    "few minutes looks smaller there.",
  query: z.strictObject({}),
  body: Rule,
  answer: PreviewAnswer,
  errors: [400, 401, 403, 413, 429, 503],
  async handler(c) {
    const rule = await readJson(c, Rule, "a rule");
    const { from, to, selected, functions, note } = await previewRule(c.env, rule, Date.now() / 1000);
    return {
      from: iso(from),
      to: iso(to),
      selected,
      times: functions.reduce((sum, { firings }) => sum + firings.length, 0),
      functions: functions.map(({ firings, ...id }) => ({
        ...id,
        firings: firings.map(({ firedAt, endedAt, sentence }) => ({
          firedAt: iso(firedAt),
          endedAt: iso(endedAt),
          sentence,
        })),
      })),
      note,
    };
  },
});
