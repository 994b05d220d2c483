/** A banner on every page that says what is wrong with the collector, from `GET /health`. */
import { useRef } from "preact/hooks";
import { type Health, readHealth } from "../api/client.ts";
import { type Live, useLive } from "../api/use-live.ts";
import { exactly } from "../format.ts";
import { isolate } from "../parts/name.tsx";
import { Link } from "../view/link.tsx";
import type { View } from "../view/view.ts";

/** Every page checks the collector this often. A hanging server is seen within 15 s. */
const CHECK_MS = 8_000;
/** The pipeline page shows what moves. */
const WATCH_MS = 2_000;

export function useHealth(page: View["page"], isPaused: boolean): Live<Health> {
  return useLive("health", readHealth, { everyMs: page === "pipeline" ? WATCH_MS : CHECK_MS, isPaused });
}

/** Everything that needs an operator, as sentences. */
export function problemsOf({ problems, overflow, status }: Health): string[] {
  const found = [...problems];
  for (const service of overflow ?? []) {
    found.push(
      `The service "${isolate(service)}" has more functions than the limit. Calls of further functions are counted as __overflow__.`,
    );
  }
  if (status !== "ok" && found.length === 0) found.push("The collector reports that it is degraded.");
  return found;
}

/** Samples that the collector rejected since this page was opened. */
export function useNewRejections(health: Health | undefined): number {
  const first = useRef<number | undefined>(undefined);
  const total = rejectedSamples(health);
  if (total !== undefined) first.current = Math.min(first.current ?? total, total);
  return (total ?? 0) - (first.current ?? 0);
}

function rejectedSamples(health: Health | undefined): number | undefined {
  if (!health?.rejectedSamples) return undefined;
  return Object.values(health.rejectedSamples).reduce((sum, samples) => sum + samples, 0);
}

export function Troubles({ health, view }: { health: Live<Health>; view: View }) {
  const rejections = useNewRejections(health.data);
  const problems = health.data ? problemsOf(health.data) : [];
  if (rejections > 0)
    problems.push(`The collector rejected ${exactly(rejections, "sample")} since you opened this page.`);
  if (view.page === "pipeline") return null;
  if (health.error) {
    return (
      <p class="troubles" role="alert">
        <strong>Could not check the collector.</strong> {health.error.message}{" "}
        <button type="button" onClick={health.refresh}>
          Try again
        </button>
      </p>
    );
  }
  if (problems.length === 0) return null;
  return (
    <p class="troubles" role="alert">
      <strong>The collector is degraded.</strong> {problems[0]}
      {problems.length > 1 && ` And ${exactly(problems.length - 1, "more problem")}.`}{" "}
      <Link to={{ ...view, page: "pipeline" }}>See the pipeline</Link>
    </p>
  );
}
