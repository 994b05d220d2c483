/** The functions page: what needs attention, filters, and the table of all functions. */
import { useMemo, useState } from "preact/hooks";
import { type Health, listFunctions, listTotals } from "../api/client.ts";
import { Failure, Loading, Missing, Stale } from "../parts/notice.tsx";
import { DeleteForm } from "../cleanup/delete-form.tsx";
import { FutureRange } from "../range/future-range.tsx";
import { useCompared } from "../range/use-compared.ts";
import { useReport } from "../status/freshness.ts";
import { problemsOf } from "../status/troubles.tsx";
import type { View } from "../view/view.ts";
import { type AttentionItem, AttentionList } from "./attention-list.tsx";
import { Filters } from "./filters.tsx";
import { FirstSteps } from "./first-steps.tsx";
import { FoundFailures, useFoundFailures } from "./found-failures.tsx";
import { FunctionTable } from "./function-table.tsx";
import { Headline } from "./headline.tsx";
import { useHeldOrder, useHold } from "./held-order.ts";
import { filterRows, makeRows, needingAttention, type Row } from "./rows.ts";
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
  const compared = useCompared({
    name: "functions",
    range,
    everyMs: isEmpty ? WAITING_FOR_FIRST_MS : undefined,
    isPaused,
    read: listFunctions,
    readPrevious: listTotals,
  });
  const { now, covered, previous } = compared;
  useReport(now);

  const table = useMemo(
    () => now.data && covered && makeRows(now.data, previous?.data, { range, covered, readAt: now.readAt }),
    [now.data, previous?.data],
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
  const found = useFoundFailures(view);

  const isEmptyNow = now.data?.functions.length === 0;
  if (isEmptyNow !== isEmpty && now.data) setEmpty(isEmptyNow);

  if (!table || !covered) {
    return now.error ? <Failure error={now.error} retry={now.refresh} /> : <Loading what="functions" />;
  }
  if (isEmptyNow) return <FirstSteps isDegraded={health !== undefined && problemsOf(health).length > 0} />;
  if (covered.from >= now.readAt) return <FutureRange view={view} covered={covered} now={now.readAt} />;
  const attention = troubled.flatMap(itemOf);
  return (
    <div class="overview" aria-busy={!now.isCurrent}>
      <Stale live={now} />
      <Missing what="the previous range" live={compared.loading} />
      <Headline
        rows={filtered}
        attention={attention.length}
        failures={found?.failures.length}
        view={view}
        compared={compared}
      />
      <div {...holding}>
        <AttentionList items={attention} view={view} />
        <Filters view={view} services={table.services} />
        {found && <FoundFailures found={found} view={view} />}
        {rows.length === 0 ? (
          <p class="nothing">No matching functions.</p>
        ) : (
          <FunctionTable rows={rows} view={view} />
        )}
        {view.service !== "" && (
          <DeleteForm key={view.service} service={view.service} onDelete={now.refresh} />
        )}
      </div>
    </div>
  );
}

function itemOf({ key, service, module, function: name, attention, sparkline }: Row): AttentionItem[] {
  if (!attention) return [];
  const { kind, says, before } = attention;
  return [{ key, service, module, function: name, kind, says, before, sparkline }];
}
