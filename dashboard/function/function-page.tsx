/** The page of one function: its numbers in the range, charts over time, the distribution of durations, and failures. */
import { describeFunction, readDistribution } from "../api/client.ts";
import { useLive } from "../api/use-live.ts";
import { at } from "../format.ts";
import { Failure, Loading, Stale } from "../parts/notice.tsx";
import { lengthMs, previousName, previousQuery, refreshMs, toQuery } from "../view/range.ts";
import { Link } from "../view/link.tsx";
import type { FunctionName, View } from "../view/view.ts";
import { Failures } from "./failures.tsx";
import { Histogram } from "./histogram.tsx";
import { Tiles } from "./tiles.tsx";
import { TimeCharts } from "./time-charts.tsx";
import { ZoomButtons } from "./zoom-buttons.tsx";

interface FunctionPageProps {
  of: FunctionName;
  view: View;
  isPaused: boolean;
}

export function FunctionPage({ of, view, isPaused }: FunctionPageProps) {
  const { range } = view;
  const key = JSON.stringify(range);
  const everyMs = isPaused ? null : refreshMs(range);
  const beforeMs = everyMs === null ? null : Math.max(60_000, lengthMs(range) / 30);
  const now = useLive(key, (signal) => describeFunction(of, toQuery(range), signal), everyMs);
  const before = useLive(key, (signal) => describeFunction(of, previousQuery(range), signal), beforeMs);
  const durations = useLive(key, (signal) => readDistribution(of, toQuery(range), signal), everyMs);

  const described = now.data;
  const known = before.isCurrent ? before.data : undefined;
  return (
    <article class="described" aria-busy={!now.isCurrent}>
      <header class="headline">
        <p class="path">
          <Link to={{ ...view, page: "functions", of: undefined }}>Functions</Link>
          {" / "}
          <Link to={{ ...view, page: "functions", of: undefined, service: of.service }}>{of.service}</Link>
        </p>
        <div class="title">
          <h1>
            {of.function}
            {of.module !== undefined && of.module !== "" && <span class="module">{of.module}</span>}
          </h1>
          <ZoomButtons view={view} />
        </div>
        {described && (
          <p>
            {`${at(Date.parse(described.from))} – ${at(Date.parse(described.to))}, compared with the ${previousName(range)}`}
          </p>
        )}
      </header>
      {now.error && described && <Stale error={now.error} retry={now.refresh} />}
      {!described && now.error && <Failure error={now.error} retry={now.refresh} />}
      {!described && !now.error && <Loading what={of.function} />}
      {described && (
        <>
          <Tiles now={described.range} before={known?.range} />
          <TimeCharts now={described} before={known} view={view} />
          <div class="details">
            <section>
              <h2>Duration distribution</h2>
              {durations.data && (
                <Histogram
                  distribution={durations.data}
                  markers={[
                    { label: "p50", ms: described.range.p50Ms },
                    { label: "p95", ms: described.range.p95Ms },
                    { label: "p99", ms: described.range.p99Ms },
                  ]}
                />
              )}
            </section>
            <section>
              <h2>
                Failures <span class="hint">of all time</span>
              </h2>
              <Failures failures={described.failures} />
            </section>
          </div>
        </>
      )}
    </article>
  );
}
