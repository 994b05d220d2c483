/** The pipeline page: what waits in the buffer, in the queue and before D1, and what is wrong. */
import { readHealth } from "../api/client.ts";
import { useLive } from "../api/use-live.ts";
import { Failure, Loading, Stale } from "../parts/notice.tsx";
import { DeadLetters } from "./dead-letters.tsx";
import { Stages } from "./stages.tsx";

const REFRESH_MS = 2_000;

export function Pipeline({ isPaused }: { isPaused: boolean }) {
  const health = useLive("health", readHealth, isPaused ? null : REFRESH_MS);
  const { data } = health;
  if (!data) {
    return health.error ? (
      <Failure error={health.error} retry={health.refresh} />
    ) : (
      <Loading what="the pipeline" />
    );
  }
  return (
    <article class="pipeline">
      <header class="headline">
        <h1 class={data.problems.length > 0 ? "trouble" : undefined} aria-live="polite">
          {data.problems.length > 0 ? "The collector is degraded" : "The collector is healthy"}
        </h1>
        <p>
          Every acknowledged call is counted exactly once. All numbers include calls that have not reached D1
          yet.
        </p>
      </header>
      {health.error && <Stale error={health.error} retry={health.refresh} />}
      {data.problems.length > 0 && (
        <ul class="problems">
          {data.problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
      <Stages health={data} now={health.readAt} />
      {data.deadLetters !== null && data.deadLetters > 0 && (
        <DeadLetters count={data.deadLetters} onReplay={health.refresh} />
      )}
      {data.overflow !== null && data.overflow.length > 0 && (
        <section class="card">
          <h2>Overflow</h2>
          <p>
            These services sent more different function names than the limit. Calls of further names are
            counted together as <code>__overflow__</code>. The usual reason is a name that contains an id or a
            path.
          </p>
          <ul>
            {data.overflow.map((service) => (
              <li key={service}>
                <strong>{service}</strong>
              </li>
            ))}
          </ul>
        </section>
      )}
      <p class="quiet-line">{`MetricsCollector ${data.version}`}</p>
    </article>
  );
}
