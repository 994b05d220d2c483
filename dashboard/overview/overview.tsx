/** The functions page: what needs attention, filters, and the table of all functions. */
import { useMemo, useState } from "preact/hooks";
import { type Health, listFunctions } from "../api/client.ts";
import { serverNow } from "../api/server-clock.ts";
import { useLive } from "../api/use-live.ts";
import { Failure, Loading, Missing, Stale } from "../parts/notice.tsx";
import { DeleteForm } from "../cleanup/delete-form.tsx";
import { coveredBy } from "../range/bounds.ts";
import { FutureRange } from "../range/future-range.tsx";
import { isLive, refreshMs } from "../range/range.ts";
import { readInRange } from "../range/use-compared.ts";
import { useReport } from "../status/freshness.ts";
import { problemsOf } from "../status/troubles.tsx";
import type { View } from "../view/view.ts";
import { AttentionList, MutedList, UnknownList } from "./attention-list.tsx";
import { Filters } from "./filters.tsx";
import { FirstSteps } from "./first-steps.tsx";
import { FoundFailures, NothingFound, useFound } from "./found-failures.tsx";
import { FunctionTable } from "./function-table.tsx";
import { Headline } from "./headline.tsx";
import { useHeldOrder, useHold } from "./held-order.ts";
import { useAttention, useJudgement } from "./judgement.ts";
import { matching } from "./matching.ts";
import { makeRows } from "./rows.ts";
import { sortRows } from "./sorting.ts";

/** The interval while the server has no functions, so that the first sample appears quickly. */
const WAITING_FOR_FIRST_MS = 2_000;

interface OverviewProps {
  view: View;
  isPaused: boolean;
  health: Health | undefined;
}

export function Overview({ view, isPaused, health }: OverviewProps) {
  const { range } = view;
  const [isEmpty, setEmpty] = useState(false);
  const now = useLive(
    `functions ${JSON.stringify(range)}`,
    (signal) => readInRange(range, (bounds) => listFunctions(bounds, signal)),
    { everyMs: isEmpty ? WAITING_FOR_FIRST_MS : refreshMs(range, serverNow()), isPaused },
  );
  useReport(now);
  const attention = useAttention(isPaused);

  const covered = now.data ? coveredBy(now.data) : undefined;
  const table = useMemo(
    () => now.data && covered && makeRows(now.data, attention.data, { range, covered, readAt: now.readAt }),
    [now.data, attention.data, isLive(range)],
  );
  const { isHeld, holding } = useHold();
  const filtered = useMemo(() => matching(table?.rows ?? [], view), [table, view.service, view.q]);
  const sorted = useMemo(() => sortRows(filtered, view), [filtered, view.sort, view.order]);
  const asked = JSON.stringify([range, view.service, view.q, view.sort, view.order]);
  const rows = useHeldOrder(sorted, asked, isHeld);
  const judgement = useJudgement(attention.data, view);
  const items = useHeldOrder(judgement?.items ?? [], asked, isHeld);
  const found = useFound(view);

  const isEmptyNow = now.data?.functions.length === 0;
  if (isEmptyNow !== isEmpty && now.data) setEmpty(isEmptyNow);

  if (!table || !covered) {
    return now.error ? <Failure error={now.error} retry={now.refresh} /> : <Loading what="functions" />;
  }
  if (isEmptyNow) return <FirstSteps isDegraded={health !== undefined && problemsOf(health).length > 0} />;
  if (covered.from >= now.readAt) return <FutureRange view={view} covered={covered} now={now.readAt} />;
  const readAll = () => {
    now.refresh();
    attention.refresh();
  };
  return (
    <div class="overview" aria-busy={!now.isCurrent}>
      <Stale live={now} />
      <Missing what="what needs attention" live={attention} />
      <Headline
        rows={filtered}
        judgement={judgement}
        failures={found?.failures.length}
        view={view}
        covered={covered}
        readAt={now.readAt}
      />
      <div {...holding}>
        <AttentionList items={items} rows={filtered} view={view} onMute={attention.refresh} />
        <MutedList items={judgement?.muted ?? []} view={view} onUnmute={attention.refresh} />
        <UnknownList items={judgement?.unknown ?? []} view={view} />
        <Filters view={view} services={table.services} />
        {found && <FoundFailures found={found} view={view} />}
        {rows.length === 0 ? (
          <NothingFound found={found} rows={table.rows} view={view} />
        ) : (
          <FunctionTable rows={rows} view={view} />
        )}
        {view.service !== "" && <DeleteForm key={view.service} service={view.service} onDelete={readAll} />}
      </div>
    </div>
  );
}
