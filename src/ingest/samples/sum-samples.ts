/** Validates and sums the samples of a `POST /samples`. */
import { BatchSum } from "../batch-sum.ts";
import type { Summed } from "../batch.ts";
import { LatestDeltas } from "../latest-deltas.ts";
import { readSample } from "./read-sample.ts";

/**
 * A bad sample is rejected and does not affect the others.
 *
 * @param clockErrorMs is added to the times in the samples
 */
export function sumSamples(
  service: string,
  samples: readonly unknown[],
  now: number,
  clockErrorMs = 0,
): Summed {
  const sum = new BatchSum(service, now);
  const latest = new LatestDeltas();
  for (let index = 0; index < samples.length; index++) {
    const sample = samples[index];
    const { function: name, module } = namesIn(sample);
    const known = typeof name === "string" ? latest.get(name, module) : undefined;
    if (known && clockErrorMs === 0 && sum.addPlainCall(known, sample as object)) continue;
    const read = readSample(sample);
    if ("reason" in read) {
      sum.reject(index, "invalid", read.reason);
      continue;
    }
    const { sample: valid } = read;
    if (valid.at !== undefined) valid.at += clockErrorMs;
    const delta = sum.add(index, valid);
    if (delta) latest.set(name as string, module, delta);
  }
  return sum;
}

/** The names as the sender wrote them. */
function namesIn(sample: unknown): { function?: unknown; module?: unknown } {
  return typeof sample === "object" && sample !== null ? sample : {};
}
