/** Ingests an OTLP request and tells how much of it was rejected. */
import type { Decoder } from "../decoder.ts";
import { ingest } from "../ingest.ts";
import type { PartialSuccess } from "./answer.ts";
import { withBodyBudget } from "./body-budget.ts";
import type { Tally } from "./tally.ts";

export interface Taken extends PartialSuccess {
  accepted: number;
}

/** @param tally what the decoder rejects and drops */
export async function takeOtlp(request: Request, env: Env, decoder: Decoder, tally: Tally): Promise<Taken> {
  const outcomes = await withBodyBudget(request.headers, () => ingest(request, env, decoder));
  let accepted = 0;
  for (const { answer } of outcomes) {
    accepted += answer.accepted;
    const reasons = answer.reasons.map(({ reason }) => reason);
    if (answer.rejected > 0) tally.reject(reasons.shift() ?? "", answer.rejected);
    for (const warning of reasons) tally.warn(warning);
  }
  return { accepted, rejected: tally.rejected, message: tally.message };
}
