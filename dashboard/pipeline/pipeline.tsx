/** The pipeline page: what waits in the buffer, in the queue and before D1, and what is wrong. */
import type { Health } from "../api/client.ts";
import type { Live } from "../api/use-live.ts";
import { exact } from "../format.ts";
import { Name } from "../parts/name.tsx";
import { Failure, Loading, Stale } from "../parts/notice.tsx";
import { useReport } from "../status/freshness.ts";
import { problemsOf } from "../status/troubles.tsx";
import { useNow } from "../times/use-now.ts";
import { DeadLetters } from "./dead-letters.tsx";
import { Stages } from "./stages.tsx";

export function Pipeline({ health }: { health: Live<Health> }) {
  const { data } = health;
  const now = useNow(1_000);
  useReport(health);
  if (!data) {
    return health.error ? (
      <Failure error={health.error} retry={health.refresh} />
    ) : (
      <Loading what="the pipeline" />
    );
  }
  const problems = problemsOf(data);
  return (
    <article class="pipeline">
      <header class="headline">
        <h1 class={problems.length > 0 ? "trouble" : undefined} aria-live="polite">
          {problems.length > 0 ? "The collector is degraded" : "The collector is healthy"}
        </h1>
        <p>
          Every acknowledged call is counted exactly once. All numbers include calls that have not reached D1
          yet.
        </p>
      </header>
      <Stale live={health} />
      {problems.length > 0 && (
        <ul class="problems">
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
      <Stages health={data} now={now} />
      {data.deadLetters !== null && data.deadLetters > 0 && (
        <DeadLetters count={data.deadLetters} onReplay={health.refresh} />
      )}
      {data.overflow !== null && data.overflow.length > 0 && <Overflow services={data.overflow} />}
      {data.rejectedSamples && <Rejections samples={data.rejectedSamples} />}
      <p class="quiet-line">{`MetricsCollector ${data.version}`}</p>
    </article>
  );
}

function Overflow({ services }: { services: readonly string[] }) {
  return (
    <section class="card">
      <h2>Overflow</h2>
      <p>
        These services sent more different function names than the limit. Calls of further names are counted
        together as <code>__overflow__</code>. The usual reason is a name that contains an id or a path.
      </p>
      <ul>
        {services.map((service) => (
          <li key={service}>
            <strong>
              <Name text={service} />
            </strong>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Rejections({ samples }: { samples: Record<string, number> }) {
  const reasons = Object.entries(samples);
  if (reasons.length === 0) return null;
  return (
    <section class="card">
      <h2>Rejected samples</h2>
      <p>The collector rejected these samples since the buffer was created. Their calls are not counted.</p>
      <ul>
        {reasons.map(([reason, number]) => (
          <li key={reason}>
            <code>{reason}</code> {exact(number)}
          </li>
        ))}
      </ul>
    </section>
  );
}
