/** Reads the metrics of the collector itself, which are known now only. */
import type { Matcher } from "../../promql/matcher.ts";
import { readCollectorHealth } from "../../read/collector-health.ts";
import type { Labels } from "../catalogue.ts";
import { accepts, type GaugeTemplate, type Target } from "./templates.ts";

/** The labels of each gauge that matches, with its name among them, and its value. @throws {BindingFault} */
export async function readGauges(
  env: Pick<Env, "BUFFER" | "DB" | "SINKS">,
  gauges: readonly GaugeTemplate[],
  matchers: readonly Matcher[],
  target: Target,
  nowMs: number,
): Promise<{ labels: Labels; value: number }[]> {
  if (gauges.length === 0) return [];
  const health = await readCollectorHealth(env);
  return gauges
    .flatMap(({ name, metric }) =>
      metric.read(health, nowMs).map(({ labels, value }) => ({
        labels: { __name__: name, ...target, ...labels },
        value,
      })),
    )
    .filter(({ labels }) => accepts(labels, matchers));
}
