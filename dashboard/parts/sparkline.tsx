/** Calls over time as bars, errors in front of them: cheap enough for one in each row. */

interface SparklineProps {
  calls: readonly number[];
  errors: readonly number[];
  /** Whether the last step goes on: it is drawn lighter, since it is not as low as it looks. */
  isOpen: boolean;
  /** For whoever hears it; left out where it is said beside it. */
  label?: string;
}

const HEIGHT = 24;
const GAP = 0.25;
/** What happened at all is seen, however little it was. */
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
