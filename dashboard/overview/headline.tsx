/** The heading of the functions page: how many functions need attention, and the sums of all functions. */
import { counted, exact, exactly, percent, rate, text } from "../format.ts";
import { type Bounds, elapsedMs } from "../range/bounds.ts";
import { Coverage } from "../range/coverage.tsx";
import { isLive } from "../range/range.ts";
import { Name } from "../parts/name.tsx";
import { useTimes } from "../times/times.ts";
import type { View } from "../view/view.ts";
import { functionsIn, type Judgement } from "./judgement.ts";
import type { Row } from "./rows.ts";

interface HeadlineProps {
  rows: readonly Row[];
  /** Undefined until it is loaded. */
  judgement: Judgement | undefined;
  /** Failures that match the search. Undefined without a search. */
  failures: number | undefined;
  view: View;
  covered: Bounds;
  /** The server's time of the answer. */
  readAt: number;
}

export function Headline({ rows, judgement, failures, view, covered, readAt }: HeadlineProps) {
  const times = useTimes();
  const sum = (of: (row: Row) => number) => rows.reduce((total, row) => total + of(row), 0);
  const calls = sum((row) => row.calls);
  const errors = sum((row) => row.errors);
  const firstData = rows.reduce((first, row) => Math.min(first, row.firstSeenAt), Infinity);
  const share = calls === 0 ? "" : ` (${text(percent(errors / calls))})`;
  const seconds = elapsedMs(covered, readAt, firstData) / 1000;
  const { subject, says } =
    view.q.trim() === ""
      ? sentence(rows.length, calls, judgement, isLive(view.range))
      : { subject: foundSentence(rows.length, failures), says: "" };
  return (
    <header class="headline">
      <h1 class={judgement && judgement.items.length > 0 ? "trouble" : undefined} aria-live="polite">
        {subject}
        {view.service !== "" && rows.length > 0 && (
          <>
            {" in "}
            <Name text={view.service} />
          </>
        )}
        {says}
      </h1>
      <Coverage range={view.range} covered={covered} firstData={firstData} readAt={readAt} />
      {judgement && rows.length > 0 && (
        <p class="covers">
          {`Attention was judged at ${times.clock(judgement.at)} against each function's own past, whatever the range.`}
        </p>
      )}
      {rows.length > 0 && (
        <p title={`${exactly(calls, "call")}, ${exactly(errors, "error")}`}>
          {`${counted(calls, "call")}, ${text(rate(calls / seconds))} per second, ${counted(errors, "error")}${share}`}
        </p>
      )}
    </header>
  );
}

/** The name of the service, if one is chosen, comes after the subject. */
function sentence(
  functions: number,
  calls: number,
  judgement: Judgement | undefined,
  isNow: boolean,
): { subject: string; says: string } {
  if (functions === 0) return { subject: "No matching functions", says: "" };
  const all = exactly(functions, "function");
  if (!judgement) return { subject: all, says: "" };
  const now = isNow ? "" : " now";
  const troubled = functionsIn(judgement.items);
  if (troubled > 0) {
    return {
      subject: `${exact(troubled)} of ${all}`,
      says: ` ${troubled === 1 ? "needs" : "need"} attention${now}`,
    };
  }
  if (calls === 0) return { subject: "No calls in this range", says: "" };
  const unknown = functionsIn(judgement.unknown);
  const but = unknown === 0 ? "" : `, ${exact(unknown)} cannot be judged yet`;
  return { subject: all, says: `: nothing needs attention${now}${but}` };
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
