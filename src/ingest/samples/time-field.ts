/** Schema for the time of a sample. */
import * as z from "zod";
import { parseInstant } from "../../http/parse-time.ts";
import { type TimeUnit, unitOf } from "../time-unit.ts";
import { mustBe, shown } from "./fields.ts";

const ALLOWED =
  "at must be a time: a number of epoch milliseconds, or ISO 8601 with a zone, such as 2026-11-24T09:30:00Z";

const CONVERSION: Record<Exclude<TimeUnit, "milliseconds">, string> = {
  seconds: "Multiply by 1,000",
  microseconds: "Divide by 1,000",
  nanoseconds: "Divide by 1,000,000",
};

/** Epoch milliseconds. */
export const time = z
  .union([z.number(), z.string()], { error: mustBe(ALLOWED) })
  .transform((at, context): number => {
    const milliseconds = typeof at === "number" ? at : parseInstant(at);
    const unit = unitOf(milliseconds ?? 0);
    if (milliseconds !== undefined && unit === "milliseconds") return milliseconds;
    context.addIssue(
      unit === "milliseconds"
        ? `${ALLOWED}; it is ${shown(at)}.`
        : `at must be in epoch milliseconds; ${shown(at)} looks like epoch ${unit}. ${CONVERSION[unit]}.`,
    );
    return z.NEVER;
  });
