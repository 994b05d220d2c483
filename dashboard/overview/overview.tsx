/** The functions page: what needs attention, filters, and the table of all functions. */
import { useMemo, useState } from "preact/hooks";
import { listFunctions, listTotals } from "../api/client.ts";
import { useLive } from "../api/use-live.ts";
import { Failure, Loading, Stale } from "../parts/notice.tsx";
import { lengthMs, previousQuery, refreshMs, toQuery } from "../view/range.ts";
import type { View } from "../view/view.ts";
import { AttentionList } from "./attention-list.tsx";
import { Filters } from "./filters.tsx";
import { FirstSteps } from "./first-steps.tsx";
import { FoundFailures } from "./found-failures.tsx";
import { FunctionTable } from "./function-table.tsx";
import { Headline } from "./headline.tsx";
import { filterRows, makeRows, needingAttention } from "./rows.ts";
import { sortRows } from "./sorting.ts";
import { useHeldOrder, useHold } from "./held-order.ts";

/** The interval while the server has no functions, so that the first sample appears quickly. */
const WAITING_FOR_FIRST_MS = 2_000;

interface OverviewProps {
  view: View;
  isPaused: boolean;
}

export function Overview({ view, isPaused }: OverviewProps) {
  const { range } = view;
  const key = JSON.stringify(range);
  const [isEmpty, setEmpty] = useState(false);
  const everyMs = isPaused ? null : isEmpty ? WAITING_FOR_FIRST_MS : refreshMs(range);
  const now = useLive(key, (signal) => listFunctions(toQuery(range), signal), everyMs);
  // The previous range moves slowly, so it is read less often.
  const beforeMs = everyMs === null ? null : Math.max(60_000, lengthMs(range) / 30);
  const before = useLive(key, (signal) => listTotals(previousQuery(range), signal), beforeMs);

  const table = useMemo(
    () => now.data && makeRows(now.data, before.isCurrent ? before.data : undefined, range, now.readAt),
    [now.data, before.data, before.isCurrent],
  );
  const { isHeld, holding } = useHold();
  const filtered = useMemo(() => filterRows(table?.rows ?? [], view), [table, view.service, view.q]);
  const sorted = useMemo(() => sortRows(filtered, view), [filtered, view.sort, view.order]);
  const asked = JSON.stringify([range, view.service, view.q, view.sort, view.order]);
  const rows = useHeldOrder(sorted, asked, isHeld);
  const troubled = useHeldOrder(
    useMemo(() => needingAttention(filtered), [filtered]),
    asked,
    isHeld,
  );

  const isEmptyNow = now.data?.functions.length === 0;
  if (isEmptyNow !== isEmpty && now.data) setEmpty(isEmptyNow);

  if (!table) {
    return now.error ? <Failure error={now.error} retry={now.refresh} /> : <Loading what="functions" />;
  }
  if (isEmptyNow) return <FirstSteps />;
  const attention = troubled.filter((row) => row.attention);
  return (
    <div class="overview" aria-busy={!now.isCurrent}>
      {now.error && <Stale error={now.error} retry={now.refresh} />}
      <Headline rows={filtered} attention={attention.length} view={view} />
      <div {...holding}>
        <AttentionList rows={attention} view={view} />
        <Filters view={view} services={table.services} />
        <FoundFailures view={view} />
        {rows.length === 0 ? (
          <p class="nothing">No matching functions.</p>
        ) : (
          <FunctionTable rows={rows} view={view} />
        )}
      </div>
    </div>
  );
}
