/** What is between a call's acknowledgement and D1, stage by stage, and what is wrong there. */
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
          {data.problems.length > 0 ? "The pipeline needs attention" : "The pipeline is well"}
        </h1>
        <p>
          Every acknowledged call is counted once, wherever it is on its way: all numbers include what waits.
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
            These services sent more functions than are told apart; the rest is counted together, as{" "}
            <code>__overflow__</code>. Names that hold an id or a path are the usual reason.
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
