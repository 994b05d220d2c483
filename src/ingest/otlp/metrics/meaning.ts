/** Finds out what a data point says: about which function, and whether its calls failed. */
import type { Meaning } from "../../../stats/point.ts";
import { ingestLimits } from "../../limits.ts";
import { printable } from "../../sample-text.ts";
import type { SpanKinds } from "../traces/span-call.ts";
import type { Attributes } from "../wire/message.ts";
import { enumNumber } from "../wire/enum-names.ts";
import type { CountedMetric } from "./catalogue.ts";

const NONE: Attributes = new Map();
const CLIENT = 3;

/** Null if the point is of a kind that does not count. */
export function meaningOf(
  metric: CountedMetric,
  name: string,
  attributes: Attributes = NONE,
  ofResource: Attributes = NONE,
  kinds: SpanKinds,
): Omit<Meaning, "adds"> | { reason: string } | null {
  if (metric.isOfClient && !kinds.has(CLIENT)) return null;
  const kind = metric.spanKind === undefined ? undefined : attributes.get(metric.spanKind);
  if (kind !== undefined && !kinds.has(enumNumber(String(kind)))) return null;
  const named = metric.function.map(
    (key) => attributes.get(key) ?? (metric.orResource ? ofResource.get(key) : undefined),
  );
  if (named[0] === undefined || named[0] === "") {
    return { reason: `A point of ${name} has no attribute ${metric.function[0]}.` };
  }
  const error = errorIn(metric, attributes);
  return {
    module: metric.module === undefined ? "" : String(attributes.get(metric.module) ?? ""),
    function: named.filter((part) => part !== undefined && part !== "").join(" "),
    ...error,
  };
}

function errorIn({ error }: CountedMetric, attributes: Attributes): Pick<Meaning, "isError" | "failure"> {
  if (error === "always") return { isError: true, failure: null };
  const value = attributes.get(error.attribute);
  if (value === undefined || value === "") return { isError: false, failure: null };
  if (error.ending !== undefined) return { isError: String(value).endsWith(error.ending), failure: null };
  return { isError: true, failure: printable(String(value), ingestLimits.failureNameLength) };
}
