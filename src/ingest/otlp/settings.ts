/** Reads the settings of OTLP. An invalid setting fails the request and says what is allowed. */
import { ConfigurationError } from "../../errors.ts";
import { DEFAULT_KINDS, type SpanKinds } from "./traces/span-call.ts";

export interface OtlpSettings {
  kinds: SpanKinds;
  /** Whether a sampled span counts as many times as its sampler says. */
  scalesSampled: boolean;
  /** Services that are not counted. */
  ignored: ReadonlySet<string>;
}

type Vars = Partial<Pick<Env, "OTLP_SPAN_KINDS" | "OTLP_SAMPLING" | "OTLP_IGNORED_SERVICES">>;

const KINDS: ReadonlyMap<string, number> = new Map([
  ["internal", 1],
  ["server", 2],
  ["client", 3],
  ["producer", 4],
  ["consumer", 5],
]);
const OWN_SERVICE = "metrics-collector";

/** @throws {ConfigurationError} */
export function readOtlpSettings(env: Vars): OtlpSettings {
  return {
    kinds: readKinds(env.OTLP_SPAN_KINDS),
    scalesSampled: readSampling(env.OTLP_SAMPLING),
    ignored: new Set(listed(env.OTLP_IGNORED_SERVICES ?? OWN_SERVICE)),
  };
}

function readKinds(text: string | undefined): SpanKinds {
  if (text === undefined) return DEFAULT_KINDS;
  return new Set(
    listed(text).map((name) => {
      const kind = KINDS.get(name.toLowerCase());
      if (kind !== undefined) return kind;
      throw new ConfigurationError(
        `OTLP_SPAN_KINDS must list kinds of spans, of ${[...KINDS.keys()].join(", ")}. It has ${JSON.stringify(name)}. ` +
          "Set it under [vars] in wrangler.toml, or in .dev.vars for local use.",
      );
    }),
  );
}

function readSampling(text = "count"): boolean {
  if (text === "count" || text === "scale") return text === "scale";
  throw new ConfigurationError(
    `OTLP_SAMPLING must be "count" or "scale". It is ${JSON.stringify(text)}. ` +
      "Set it under [vars] in wrangler.toml, or in .dev.vars for local use.",
  );
}

function listed(text: string): string[] {
  return text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}
