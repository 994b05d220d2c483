/** A small chart of calls over time with errors in front. Cheap enough for one in each table row. */

export interface SparklineProps {
  calls: readonly number[];
  errors: readonly number[];
  /** Whether the last step is not over yet. It is drawn lighter, because its count still grows. */
  isOpen: boolean;
  /** The text for screen readers. Left out if the same is written beside the chart. */
  label?: string;
}

const HEIGHT = 24;
const GAP = 0.25;
/** The least height of a bar, so that a single call is visible. */
const LEAST = 1;

export function Sparkline({ calls, errors, isOpen, label }: SparklineProps) {
  const most = Math.max(...calls, 1);
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${Math.max(1, calls.length)} ${HEIGHT}`}
      preserveAspectRatio="none"
      {...(label === undefined ? { "aria-hidden": "true" } : { role: "img", "aria-label": label })}
    >
      <path class="calls" d={bars(isOpen ? calls.slice(0, -1) : calls, most)} />
      {isOpen && <path class="calls open" d={bars(calls, most, calls.length - 1)} />}
      <path class="errors" d={bars(errors, most)} />
    </svg>
  );
}

function bars(values: readonly number[], most: number, from = 0): string {
  let path = "";
  for (const [i, value] of values.entries()) {
    if (i < from || value === 0) continue;
    const height = Math.max(LEAST, (value / most) * HEIGHT).toFixed(1);
    path += `M${i} ${HEIGHT}v-${height}h${1 - GAP}v${height}z`;
  }
  return path;
}
