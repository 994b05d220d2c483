/** `/alerts/rules/:id`: reads, writes and deletes a rule. */
import * as z from "zod";
import { route } from "../../http/route.ts";
import { callAlerts } from "../alerts-object.ts";
import { noteActive } from "../health.ts";
import { burnWindowsOf, objectiveOf } from "../judge/objective.ts";
import { canBurn } from "../../stats/burn.ts";
import { DEFAULT_RULES, Rule } from "../rule.ts";
import { checkId, notFound, READ, WRITE } from "./ids.ts";
import { readJson } from "../../http/read-json.ts";

export const RuleAnswer = z.object({
  id: z.string(),
  isDefault: z
    .boolean()
    .meta({ description: "Whether it holds because nobody wrote another rule of this id." }),
  rule: Rule,
  notes: z.array(z.string()).meta({ description: "What of the rule has no effect, and why." }),
});
export type RuleAnswer = z.infer<typeof RuleAnswer>;

export const getRuleRoute = route({
  method: "get",
  path: "/alerts/rules/:id",
  right: "read",
  summary: "One rule",
  query: z.strictObject({}),
  answer: RuleAnswer,
  errors: READ,
  async handler(c, { params: { id } }) {
    const { rules } = await callAlerts(c.env, async (alerts) => await alerts.list());
    const found = rules.find(({ rule }) => rule.id === id);
    if (!found) throw notFound("rule", id);
    const { id: _, ...rule } = found.rule;
    return answerOf(id, rule as Rule, found.isDefault);
  },
});

export const putRuleRoute = route({
  method: "put",
  path: "/alerts/rules/:id",
  right: "admin",
  summary: "Make or replace a rule",
  query: z.strictObject({}),
  body: Rule,
  answer: RuleAnswer,
  errors: WRITE,
  async handler(c, { params }) {
    const id = checkId(params.id);
    const rule = await readJson(c, Rule, "a rule");
    const { origin } = new URL(c.req.url);
    await callAlerts(c.env, async (alerts) => await alerts.putRule(id, rule, origin));
    noteActive();
    return answerOf(id, rule, false);
  },
});

export const deleteRuleRoute = route({
  method: "delete",
  path: "/alerts/rules/:id",
  right: "admin",
  summary: "Delete a rule, and with it its alerts",
  description: "A default rule that was replaced holds again. To be without one, set its `enabled` to false.",
  query: z.strictObject({}),
  answer: z.object({ deleted: z.string() }),
  errors: WRITE,
  async handler(c, { params: { id } }) {
    const isDeleted = await callAlerts(c.env, async (alerts) => await alerts.deleteRule(id));
    if (!isDeleted) throw notFound("rule of your own", id);
    return { deleted: id };
  },
});

function answerOf(id: string, rule: Rule, isDefault: boolean): RuleAnswer {
  return { id, isDefault, rule, notes: notesOf(id, rule) };
}

function notesOf(id: string, rule: Rule): string[] {
  const notes: string[] = [];
  if (rule.kind === "objective") {
    const objective = objectiveOf(rule);
    for (const windows of burnWindowsOf(rule)) {
      if (canBurn(windows, objective)) continue;
      notes.push(
        `The windows with the factor ${windows.factor} never alert: even if every call is bad, the budget burns only ` +
          `${Number((1 / (1 - objective.target)).toPrecision(3))} times too fast.`,
      );
    }
  }
  if (DEFAULT_RULES.some((one) => one.id === id)) notes.push("It replaces the default rule of this id.");
  return notes;
}
