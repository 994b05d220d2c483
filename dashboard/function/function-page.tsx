/** The page of one function: its numbers in the range, charts over time, the distribution of durations, and failures. */
import { useState } from "preact/hooks";
import { ApiError } from "../api/answers.ts";
import { describeFunction, type FunctionDescription, readDistribution } from "../api/client.ts";
import { serverNow } from "../api/server-clock.ts";
import { useLive } from "../api/use-live.ts";
import { AlertForm } from "../alerts/alert-form.tsx";
import { functionQuery } from "../explore/function-query.ts";
import { DeleteForm } from "../cleanup/delete-form.tsx";
import { Failure, Loading, Missing, Stale } from "../parts/notice.tsx";
import { Name } from "../parts/name.tsx";
import { type Bounds, elapsedMs } from "../range/bounds.ts";
import { Coverage } from "../range/coverage.tsx";
import { FutureRange } from "../range/future-range.tsx";
import { refreshMs } from "../range/range.ts";
import { readInRange, useCompared } from "../range/use-compared.ts";
import { ZoomButtons } from "../range/zoom-buttons.tsx";
import { useReport } from "../status/freshness.ts";
import { Link } from "../view/link.tsx";
import type { FunctionName, View } from "../view/view.ts";
import { Failures } from "./failures.tsx";
import { Histogram } from "./histogram.tsx";
import { type Measured, Tiles } from "./tiles.tsx";
import { TimeCharts } from "./time-charts.tsx";
import { DeletedFunction, UnknownFunction } from "./unknown-function.tsx";

interface FunctionPageProps {
  of: FunctionName;
  view: View;
  isPaused: boolean;
}

export function FunctionPage({ of, view, isPaused }: FunctionPageProps) {
  const { range } = view;
  const name = JSON.stringify([of.service, of.module, of.function]);
  const [isDeleted, setDeleted] = useState(false);
  const compared = useCompared({
    name,
    range,
    isPaused,
    read: (bounds, signal) => describeFunction(of, bounds, signal),
    readPrevious: (bounds, signal) => describeFunction(of, bounds, signal),
  });
  const { now, covered } = compared;
  useReport(now);
  const durations = useLive(
    `durations of ${name} ${JSON.stringify(range)}`,
    (signal) => readInRange(range, (bounds) => readDistribution(of, bounds, signal)),
    { everyMs: refreshMs(range, serverNow()), isPaused },
  );

  if (isDeleted) return <DeletedFunction of={of} view={view} />;
  if (now.error instanceof ApiError && now.error.status === 404)
    return <UnknownFunction of={of} view={view} />;
  const described = now.data;
  const header = (
    <>
      <p class="path">
        <Link to={{ ...view, page: "functions", of: undefined }}>Functions</Link>
        {" / "}
        <Link to={{ ...view, page: "functions", of: undefined, service: of.service, q: "" }}>
          <Name text={of.service} />
        </Link>
      </p>
      <div class="title">
        <h1>
          <Name text={of.function} />
          {of.module !== undefined && of.module !== "" && (
            <span class="module">
              <Name text={of.module} />
            </span>
          )}
        </h1>
        <div class="actions">
          <Link to={{ ...view, page: "explore", of: undefined, query: functionQuery(of, view, serverNow()) }}>
            Explore this in PromQL
          </Link>
          <ZoomButtons view={view} />
        </div>
      </div>
    </>
  );
  if (!described || !covered) {
    return (
      <article>
        <header class="headline">{header}</header>
        {now.error ? <Failure error={now.error} retry={now.refresh} /> : <Loading what={of.function} />}
      </article>
    );
  }
  if (covered.from >= now.readAt) return <FutureRange view={view} covered={covered} now={now.readAt} />;
  const firstData = Date.parse(described.totals.firstSeen);
  const previous = compared.previous;
  const isCompared = previous !== undefined && firstData < previous.covered.to;
  const measured = measuredIn(described, covered, now.readAt, firstData);
  return (
    <article class="described" aria-busy={!now.isCurrent}>
      <header class="headline">
        {header}
        <Coverage
          range={range}
          covered={covered}
          comparison={{
            previous: isCompared ? previous.covered : undefined,
            isIncomparable: compared.isIncomparable,
          }}
          hasChanges
          firstData={firstData}
          readAt={now.readAt}
        />
      </header>
      <Stale live={now} />
      <Missing what="the previous range" live={compared.loading} />
      <Tiles
        now={measured}
        previous={isCompared ? measuredIn(previous.data, previous.covered, now.readAt, firstData) : undefined}
        since={firstData > covered.from ? firstData : undefined}
      />
      <TimeCharts now={described} previous={isCompared ? previous.data : undefined} view={view} />
      <div class="details">
        <section>
          <h2>Duration distribution</h2>
          <Missing what="the distribution" live={durations} />
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
      <AlertForm of={of} seen={described.range} />
      <DeleteForm
        service={of.service}
        name={of.function}
        module={of.module}
        onDelete={() => setDeleted(true)}
      />
    </article>
  );
}

/** The sums, with the time in which the function could be called. */
function measuredIn(
  described: FunctionDescription,
  covered: Bounds,
  now: number,
  firstData: number,
): Measured {
  return { ...described.range, seconds: elapsedMs(covered, now, firstData) / 1000 };
}
