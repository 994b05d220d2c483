/** Says which time the numbers cover, what they are compared with, and which part is missing. */
import { span } from "../format.ts";
import { useTimes } from "../times/times.ts";
import { type Bounds, MINUTE_MS, widthName } from "./bounds.ts";
import { momentAt, type Range } from "./moment.ts";
import { isLive, lengthName } from "./range.ts";

interface CoverageProps {
  range: Range;
  covered: Bounds;
  /** Undefined if the page compares with no previous range. */
  comparison?: Comparison;
  /** Whether the page shows changes of counts. */
  hasChanges?: boolean;
  /** When the first data was recorded, in epoch milliseconds. */
  firstData: number;
  /** The server's time of the answer. */
  readAt: number;
}

interface Comparison {
  /** Undefined if there is no data to compare with. */
  previous: Bounds | undefined;
  /** Whether the server keeps the previous range too coarsely. */
  isIncomparable: boolean;
}

export function Coverage({ range, covered, comparison, hasChanges, firstData, readAt }: CoverageProps) {
  const times = useTimes();
  const shown = isLive(range) ? `${times.moment(covered.from)} – now` : times.span(covered.from, covered.to);
  const compared = comparison && comparisonText(comparison, covered, firstData, readAt, times);
  return (
    <>
      <p class="covers">
        {`${shown} (${times.offset(covered.from)})`}
        {compared !== undefined && ` · ${compared}`}
      </p>
      {notesOf(
        { range, covered, firstData, readAt, isCompared: comparison?.previous !== undefined, hasChanges },
        times,
      ).map((note) => (
        <p key={note} class="covers note">
          {note}
        </p>
      ))}
    </>
  );
}

type Times = ReturnType<typeof useTimes>;

function comparisonText(
  { previous, isIncomparable }: Comparison,
  covered: Bounds,
  firstData: number,
  readAt: number,
  times: Times,
): string | undefined {
  if (previous) return comparedWith(previous, firstData, times);
  if (isIncomparable) {
    const length = lengthName(covered.to - covered.from);
    return `not compared, because the server keeps the previous ${length} by the ${widthName(before(covered), readAt)} only`;
  }
  return firstData >= covered.from ? "no earlier data to compare with" : undefined;
}

function comparedWith(previous: Bounds, firstData: number, times: Times): string {
  const { from, to } = previous;
  const text = `compared with the previous ${lengthName(to - from)}, ${times.span(from, to)}`;
  return firstData > from ? `${text}, which has data since ${times.moment(firstData)} only` : text;
}

interface Facts {
  range: Range;
  covered: Bounds;
  firstData: number;
  readAt: number;
  isCompared: boolean;
  hasChanges: boolean | undefined;
}

function notesOf(
  { range, covered, firstData, readAt, isCompared, hasChanges }: Facts,
  times: Times,
): string[] {
  const notes: string[] = [];
  const asked = { from: momentAt(range.from, readAt), to: momentAt(range.to, readAt) };
  const isWider = asked.from - covered.from >= MINUTE_MS || covered.to - asked.to >= MINUTE_MS;
  if (isWider && !isLive(range)) {
    const width = widthName(covered, readAt);
    notes.push(
      `You asked for ${times.span(asked.from, asked.to)}. The server keeps data of that age by the ${width}, so these are whole ${width}s.`,
    );
  }
  const missing = covered.to - readAt;
  if (missing > 0 && (isCompared || !isLive(range))) {
    const comparison =
      isCompared && hasChanges ? " Until then, changes of counts compare calls per second." : "";
    notes.push(`This range ends in ${span(missing)}.${comparison}`);
  }
  if (firstData >= covered.to && Number.isFinite(firstData)) {
    notes.push(`There is no data in this range. Data begins on ${times.moment(firstData)}.`);
  } else if (firstData > covered.from && firstData < covered.to) {
    notes.push(`Data begins on ${times.moment(firstData)}. Rates count from then.`);
  }
  return notes;
}

function before({ from, to }: Bounds): Bounds {
  return { from: Math.max(0, from - (to - from)), to: from };
}
