/** The rules that a person writes: their JSON form, and what each field means. Durations are texts such as `5m`. */
import * as z from "zod";

const DURATION = "a duration such as 30s, 5m, 1h or 3d";
/** Seconds of each unit. */
const UNITS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;
const MAX_SECONDS = 28 * 86_400;

/** Seconds. The text must be valid. */
export function secondsOf(text: string): number {
  return Number(text.slice(0, -1)) * UNITS[text.at(-1) as keyof typeof UNITS];
}

function duration(minSeconds: number, allowed = DURATION) {
  return z
    .string({ error: allowed })
    .regex(/^\d{1,7}[smhdw]$/, { error: allowed })
    .refine((text) => secondsOf(text) >= minSeconds && secondsOf(text) <= MAX_SECONDS, {
      error: `${allowed}, of at least ${minSeconds} s and at most 28 days`,
    });
}

const Window = duration(60, "a duration of whole minutes, such as 5m or 1h").refine(
  (text) => secondsOf(text) % 60 === 0,
  { error: "a duration of whole minutes, such as 5m or 1h" },
);

const pattern = z.string({ error: "a name, in which * stands for any text" }).min(1).max(1_000);
export const Selector = z.strictObject({
  service: pattern.optional(),
  module: z.string().max(1_000).optional(),
  function: pattern.optional(),
});

export const SEVERITIES = ["page", "ticket", "info"] as const;
export const Severity = z.enum(SEVERITIES, { error: `one of ${SEVERITIES.join(", ")}` });
export type Severity = z.infer<typeof Severity>;

const LABEL = "a name of letters, digits and _ that does not begin with a digit";
const Labels = z.record(
  z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, { error: LABEL }),
  z.string().max(1_000),
);

const common = {
  name: z.string().min(1).max(200).optional(),
  enabled: z.boolean().default(true),
  selector: Selector.default({}).meta({
    description: "Which functions it judges. `*` stands for any text. A name that is left out matches all.",
  }),
  severity: Severity.default("page"),
  labels: Labels.default({}),
  for: duration(0).default("0s").meta({ description: "How long it must be so before the alert fires." }),
  keepFiringFor: duration(0)
    .default("5m")
    .meta({ description: "How long it must be over before the alert ends." }),
  runbook: z.url().max(2_000).optional(),
};

const share = (error: string) => z.number({ error }).gt(0, { error }).lt(100, { error });
const PERCENT = "a percentage above 0 and below 100, such as 99.9";

export const FIGURES = ["errorRate", "calls", "averageMs", "p50Ms", "p90Ms", "p95Ms", "p99Ms"] as const;
export type Figure = (typeof FIGURES)[number];

export const ThresholdRule = z
  .strictObject({
    ...common,
    kind: z.literal("threshold"),
    figure: z.enum(FIGURES, { error: `one of ${FIGURES.join(", ")}` }),
    window: Window.default("5m"),
    above: z.number().min(0).optional(),
    below: z.number().min(0).optional(),
    minCalls: z
      .int()
      .min(0)
      .default(20)
      .meta({ description: "With fewer calls in the window, the rule is unknown. Not used for `calls`." }),
  })
  .refine(({ above, below }) => (above === undefined) !== (below === undefined), {
    error: "either above or below, and not both",
    path: ["above"],
  })
  .refine(({ figure, above = 0, below = 0 }) => figure !== "errorRate" || above + below < 1, {
    error: "a share below 1, such as 0.05 for 5 %",
    path: ["above"],
  });

export const ObjectiveRule = z
  .strictObject({
    ...common,
    kind: z.literal("objective"),
    success: share(PERCENT).optional().meta({ description: "So many percent of calls succeed." }),
    latency: z
      .tuple([z.number().gt(0), share(PERCENT)])
      .optional()
      .meta({ description: "Milliseconds, and how many percent of calls take no longer." }),
    windows: z
      .array(
        z.strictObject({
          long: Window,
          short: Window,
          factor: z.number().gt(0),
          severity: z.enum(["page", "ticket"]),
        }),
      )
      .min(1)
      .max(8)
      .optional()
      .meta({ description: "The burn rates that alert. If left out: 14.4, 6, 3 and 1." }),
    minErrors: z.int().min(1).default(5),
    budgetBelow: z
      .number()
      .min(0)
      .lt(1)
      .optional()
      .meta({ description: "Also alerts, as a ticket, when less than this share of the budget is left." }),
  })
  .refine(({ success, latency }) => (success === undefined) !== (latency === undefined), {
    error: "either success or latency, and not both",
    path: ["success"],
  });

export const SilenceRule = z.strictObject({
  ...common,
  kind: z.literal("silence"),
  after: duration(60).optional().meta({
    description: "How long without a call. If left out, it is learned from the function's own pauses.",
  }),
});

export const ChangeRule = z.strictObject({
  ...common,
  kind: z.literal("change"),
  figure: z.enum(["errorRate", "p95Ms"], { error: "errorRate or p95Ms" }),
  window: Window.default("15m"),
  deviations: z.number().gt(0).default(4),
  times: z.number().min(1).default(1.5),
  minCalls: z.int().min(1).default(50),
});

export const ATTENTION = ["failing", "silent", "slower"] as const;
export const AttentionRule = z.strictObject({
  ...common,
  kind: z.literal("attention"),
  judges: z
    .enum(ATTENTION, { error: `one of ${ATTENTION.join(", ")}` })
    .meta({ description: "The same judgement as `GET /attention`." }),
});

export const Rule = z.discriminatedUnion("kind", [
  ThresholdRule,
  ObjectiveRule,
  SilenceRule,
  ChangeRule,
  AttentionRule,
]);
export type Rule = z.infer<typeof Rule>;
export type RuleOf<Kind extends Rule["kind"]> = Extract<Rule, { kind: Kind }>;

/** What a rule judges, as text. */
export function expressionOf(rule: Pick<Rule, "kind">): string {
  const { name: _, severity: __, labels: ___, runbook: ____, ...rest } = rule as Rule;
  return JSON.stringify(rest);
}

/** A rule with its id. */
export type NamedRule = Rule & { id: string };

export const RULE_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;

/** The rules that hold if nobody wrote others. One is replaced by a rule of the same id. */
export const DEFAULT_RULES: readonly NamedRule[] = [
  { id: "failing", ...Rule.parse({ kind: "attention", judges: "failing", name: "Failing", for: "2m" }) },
  {
    id: "silent",
    ...Rule.parse({
      kind: "attention",
      judges: "silent",
      name: "Silent",
      severity: "ticket",
      keepFiringFor: "0s",
    }),
  },
  {
    id: "slower",
    ...Rule.parse({
      kind: "attention",
      judges: "slower",
      name: "Slower",
      severity: "ticket",
      keepFiringFor: "15m",
    }),
  },
];
