/** The heading of the functions page: how many functions need attention, and the sums of all functions. */
import { count, counted, exact, exactly, percent, rate, text } from "../format.ts";
import { elapsedMs } from "../range/bounds.ts";
import { Coverage } from "../range/coverage.tsx";
import type { Compared } from "../range/use-compared.ts";
import { Name } from "../parts/name.tsx";
import type { View } from "../view/view.ts";
import type { Row } from "./rows.ts";

interface HeadlineProps {
  rows: readonly Row[];
  attention: number;
  /** Failures that match the search. Undefined without a search. */
  failures: number | undefined;
  view: View;
  compared: Compared<object, object>;
}

export function Headline({ rows, attention, failures, view, compared }: HeadlineProps) {
  const { now, covered, previous, isIncomparable } = compared;
  const sum = (of: (row: Row) => number) => rows.reduce((total, row) => total + of(row), 0);
  const calls = sum((row) => row.calls);
  const errors = sum((row) => row.errors);
  const firstData = rows.reduce((first, row) => Math.min(first, row.firstSeenAt), Infinity);
  const isCompared = rows.some((row) => row.previous !== undefined && row.previous.calls > 0);
  const share = calls === 0 ? "" : ` (${text(percent(errors / calls))})`;
  const seconds = elapsedMs(covered!, now.readAt, firstData) / 1000;
  return (
    <header class="headline">
      <h1 class={attention > 0 ? "trouble" : undefined} aria-live="polite">
        {view.q.trim() === ""
          ? sentence(rows.length, attention, calls)
          : foundSentence(rows.length, failures)}
        {view.service !== "" && rows.length > 0 && (
          <>
            {" in "}
            <Name text={view.service} />
          </>
        )}
        {view.q.trim() === "" && attention > 0 && (attention === 1 ? " needs attention" : " need attention")}
      </h1>
      <Coverage
        range={view.range}
        covered={covered!}
        previous={isCompared ? previous?.covered : undefined}
        isIncomparable={isIncomparable}
        firstData={firstData}
        readAt={now.readAt}
      />
      {rows.length > 0 && (
        <p title={`${exactly(calls, "call")}, ${exactly(errors, "error")}`}>
          {`${counted(calls, "call")}, ${text(rate(calls / seconds))} per second, ${counted(errors, "error")}${share}`}
        </p>
      )}
    </header>
  );
}

function sentence(functions: number, attention: number, calls: number): string {
  if (functions === 0) return "No matching functions";
  if (calls === 0 && attention === 0) return "No calls in this range";
  const all = exactly(functions, "function");
  return attention === 0 ? `Nothing needs attention in ${all}` : `${text(count(attention))} of ${all}`;
}

/** Says what a search found, also if it found failures only. */
function foundSentence(functions: number, failures: number | undefined): string {
  const found =
    functions === 0
      ? "No matching functions"
      : `${exact(functions)} matching function${functions === 1 ? "" : "s"}`;
  if (!failures) return found;
  return `${found}, ${exact(failures)} matching failure${failures === 1 ? "" : "s"}`;
}
