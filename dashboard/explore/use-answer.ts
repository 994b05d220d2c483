/** Runs the query of the page for the table and for the chart, and repeats it as the range asks. */
import { queryInstant, queryRange } from "../api/prometheus.ts";
import type { InstantData, Result, Series } from "../api/prometheus-results.ts";
import { serverNow } from "../api/server-clock.ts";
import { type Live, useLive } from "../api/use-live.ts";
import { refreshMs } from "../range/range.ts";
import { readInRange } from "../range/use-compared.ts";
import type { View } from "../view/view.ts";
import { type Questions, questionsFor } from "./questions.ts";

export interface Answer {
  instant: Result<InstantData>;
  /** An error if the query gives nothing that can be drawn, such as a text. */
  steps: Result<Series[]> | Error;
  asked: Questions;
}

/** Undefined without a query. */
export function useAnswer({ query, range }: View, isPaused: boolean): Live<Answer | undefined> {
  const isAsked = query !== "";
  return useLive(
    isAsked ? `explore ${query} ${JSON.stringify(range)}` : "explore nothing",
    async (signal) =>
      isAsked
        ? readInRange(range, (bounds) => ask(questionsFor(query, range, bounds, serverNow()), signal))
        : undefined,
    { everyMs: isAsked ? refreshMs(range, serverNow()) : null, isPaused },
  );
}

async function ask(asked: Questions, signal: AbortSignal): Promise<Answer> {
  const [instant, steps] = await Promise.all([
    queryInstant(asked.instant, signal),
    queryRange(asked.range, signal).catch((error: Error) => error),
  ]);
  return { instant, steps, asked };
}
