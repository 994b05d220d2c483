/** The page for questions in PromQL: a query, its values as a chart over the range, and as a table at its end. */
import { isPassing } from "../api/answers.ts";
import { serverNow } from "../api/server-clock.ts";
import { Loading, Stale } from "../parts/notice.tsx";
import { boundsOf } from "../range/bounds.ts";
import { Coverage } from "../range/coverage.tsx";
import { FutureRange } from "../range/future-range.tsx";
import { ZoomButtons } from "../range/zoom-buttons.tsx";
import { useReport } from "../status/freshness.ts";
import { goTo, type View } from "../view/view.ts";
import { Examples } from "./examples.tsx";
import { QueryBox } from "./query-box.tsx";
import { ResultChart } from "./result-chart.tsx";
import { ResultTable } from "./result-table.tsx";
import { type Answer, useAnswer } from "./use-answer.ts";

export function Explore({ view, isPaused }: { view: View; isPaused: boolean }) {
  const { query, range } = view;
  const live = useAnswer(view, isPaused);
  // A wrong query says nothing about the age of the numbers.
  useReport(live.error && !isPassing(live.error) ? { ...live, error: undefined } : live);
  const now = serverNow();
  const covered = boundsOf(range, now);
  const run = (text: string) => {
    if (text === query) live.refresh();
    else goTo({ ...view, query: text });
  };
  const answer = query === "" ? undefined : live.data;
  const isRefused = live.error !== undefined && !live.isCurrent && !live.isLoading;
  return (
    <article class="explore" aria-busy={query !== "" && !live.isCurrent && !isRefused}>
      <header class="headline">
        <div class="title">
          <h1>Explore</h1>
          <ZoomButtons view={view} />
        </div>
        <Coverage range={range} covered={covered} firstData={0} readAt={now} />
      </header>
      <QueryBox query={query} isRunning={live.isLoading} run={run} />
      {query === "" && <Examples view={view} />}
      {isRefused && <Refusal error={live.error!} retry={live.refresh} />}
      {query !== "" && !isRefused && !answer && <Loading what="the query" />}
      {answer && !isRefused && covered.from >= now && <FutureRange view={view} covered={covered} now={now} />}
      {answer && !isRefused && covered.from < now && (
        <>
          <Stale live={live} />
          <Notes answer={answer} />
          <ResultChart steps={answer.steps} asked={answer.asked.range} view={view} />
          <ResultTable data={answer.instant.data} asked={answer.asked.instant} readAt={live.readAt} />
        </>
      )}
    </article>
  );
}

/** The server's sentence. The editor marks the place in the query. */
function Refusal({ error, retry }: { error: Error; retry: () => void }) {
  return (
    <p class="refused" role="alert">
      {error.message}{" "}
      {isPassing(error) && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </p>
  );
}

/** What the server has to say about the query, each sentence once. */
function Notes({ answer: { instant, steps } }: { answer: Answer }) {
  const results = steps instanceof Error ? [instant] : [instant, steps];
  const notes = new Set(results.flatMap(({ warnings = [], infos = [] }) => [...warnings, ...infos]));
  return [...notes].map((note) => (
    <p key={note} class="note">
      {note}
    </p>
  ));
}
