/** Makes the same random samples in the format of each peer. */
import { Random } from "../../scripts/random.ts";

export type Form = "samples" | "sums" | "import";

export interface Load {
  url: string;
  form: Form;
  /** Samples or sums per POST. */
  perPost: number;
  seconds: number;
  connections: number;
}

const FUNCTIONS = 20;
const CALLS_PER_SUM = 1_000;

/** How many calls one POST reports. */
export function callsOf({ form, perPost }: Pick<Load, "form" | "perPost">): number {
  return form === "sums" ? perPost * CALLS_PER_SUM : perPost;
}

export function bodyOf(random: Random, form: Form, perPost: number): string {
  const each = Array.from({ length: perPost }, () => ({
    name: `function_${random.below(FUNCTIONS)}`,
    ms: random.below(8_000) / 8 + 0.125,
  }));
  const at = Date.now();
  if (form === "import") {
    return each
      .map(({ name, ms }) => {
        const metric = { __name__: "duration_ms", service: "bench", function: name };
        return JSON.stringify({ metric, values: [ms], timestamps: [at] });
      })
      .join("\n");
  }
  const samples =
    form === "samples"
      ? each.map(({ name, ms }) => ({ function: name, durationMs: ms, at }))
      : each.map(({ name }) => sumOf(random, name, at));
  return JSON.stringify({ service: "bench", samples });
}

/** The sum that a client sends for many calls, with a histogram of up to 40 buckets. */
export function sumOf(random: Random, name: string, at: number, calls = CALLS_PER_SUM) {
  const histogram: Record<string, number> = {};
  let sumMs = 0;
  for (let i = 0; i < calls; i++) {
    const bucket = 64 + random.below(Math.min(calls, 40));
    histogram[bucket] = (histogram[bucket] ?? 0) + 1;
    sumMs += 2 ** ((bucket + 0.5) / 32);
  }
  const buckets = Object.keys(histogram).map(Number);
  const minMs = 2 ** ((Math.min(...buckets) + 0.5) / 32);
  const maxMs = 2 ** ((Math.max(...buckets) + 0.5) / 32);
  return { function: name, at, calls, sumMs, minMs, maxMs, histogram };
}
