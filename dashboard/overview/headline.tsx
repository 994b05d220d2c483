/** The heading of the functions page: how many functions need attention, and the sums of all functions. */
import { count, exact, percent, rate, text } from "../format.ts";
import { previousName } from "../view/range.ts";
import type { View } from "../view/view.ts";
import type { Row } from "./rows.ts";

interface HeadlineProps {
  rows: readonly Row[];
  attention: number;
  view: View;
}

export function Headline({ rows, attention, view }: HeadlineProps) {
  const sum = (of: (row: Row) => number) => rows.reduce((total, row) => total + of(row), 0);
  const calls = sum((row) => row.calls);
  const errors = sum((row) => row.errors);
  const where = view.service === "" ? "" : ` in ${view.service}`;
  const isCompared = rows.some(({ previous }) => previous && previous.calls > 0);
  const share = calls === 0 ? "" : ` (${text(percent(errors / calls))})`;
  return (
    <header class="headline">
      <h1 class={attention > 0 ? "trouble" : undefined} aria-live="polite">
        {sentence(rows.length, attention, where)}
      </h1>
      <p title={`${exact(calls)} calls, ${exact(errors)} errors`}>
        {`${text(count(calls))} calls, ${text(rate(sum((row) => row.callsPerSecond)))} a second, ${text(count(errors))} errors${share}`}
        {isCompared ? ` · compared with the ${previousName(view.range)}` : ""}
      </p>
    </header>
  );
}

function sentence(functions: number, attention: number, where: string): string {
  const all = `${exact(functions)} function${functions === 1 ? "" : "s"}${where}`;
  if (functions === 0) return "No matching functions";
  if (attention === 0) return `Nothing needs attention in ${all}`;
  return `${exact(attention)} of ${all} need${attention === 1 ? "s" : ""} attention`;
}
