/** The table of functions. */
import { useRef } from "preact/hooks";
import { useNow } from "../times/use-now.ts";
import { goTo, type Sort, type View } from "../view/view.ts";
import { COUNTS, DURATIONS, LAST_SEEN } from "./columns.tsx";
import { FunctionRow } from "./function-row.tsx";
import type { Row } from "./rows.ts";
import { useWindow } from "./window.ts";

interface FunctionTableProps {
  rows: readonly Row[];
  view: View;
}

export function FunctionTable({ rows, view }: FunctionTableProps) {
  const now = useNow(30_000);
  const body = useRef<HTMLTableSectionElement>(null);
  const { start, end, before, after } = useWindow(body, rows.length);
  return (
    <table class="functions" role="table" aria-rowcount={rows.length + 1}>
      <caption class="heard">Functions</caption>
      <thead role="rowgroup">
        <tr role="row" aria-rowindex={1}>
          <Head name="function" title="Function" view={view} ascending />
          <Head name="service" title="Service" view={view} ascending />
          <th role="columnheader" scope="col" class="activity">
            Calls and <span class="errors-key">errors</span>
          </th>
          {[...COUNTS, ...DURATIONS, LAST_SEEN].map(({ key, title, hint }) => (
            <Head key={key} name={key} title={title} hint={hint} view={view} />
          ))}
        </tr>
      </thead>
      <tbody ref={body} role="rowgroup">
        {before > 0 && <Spacer height={before} />}
        {rows.slice(start, end).map((row, i) => (
          <FunctionRow key={row.key} row={row} index={start + i + 1} view={view} now={now} />
        ))}
        {after > 0 && <Spacer height={after} />}
      </tbody>
    </table>
  );
}

interface HeadProps {
  name: Sort;
  title: string;
  hint?: string | undefined;
  view: View;
  /** The direction of the first click. Numbers start with the largest. */
  ascending?: boolean;
}

function Head({ name, title, hint, view, ascending = false }: HeadProps) {
  const isSorted = view.sort === name;
  const first = ascending ? "asc" : "desc";
  const other = view.order === "asc" ? "desc" : "asc";
  const sort = () => goTo({ ...view, sort: name, order: isSorted ? other : first });
  return (
    <th
      role="columnheader"
      scope="col"
      class={ascending ? name : `number ${name}`}
      aria-sort={isSorted ? (view.order === "asc" ? "ascending" : "descending") : undefined}
    >
      <button type="button" onClick={sort} title={hint}>
        {title}
        <span class="arrow" aria-hidden="true">
          {isSorted ? (view.order === "asc" ? "↑" : "↓") : ""}
        </span>
      </button>
    </th>
  );
}

function Spacer({ height }: { height: number }) {
  return (
    <tr aria-hidden="true" class="spacer">
      <td style={{ height: `${height}px` }} />
    </tr>
  );
}
