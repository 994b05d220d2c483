/** Shown for a range that has not begun yet. */
import { span } from "../format.ts";
import { Notice } from "../parts/notice.tsx";
import { useTimes } from "../times/times.ts";
import { Link } from "../view/link.tsx";
import type { View } from "../view/view.ts";
import type { Bounds } from "./bounds.ts";
import { DEFAULT_RANGE } from "./range.ts";

export function FutureRange({ view, covered, now }: { view: View; covered: Bounds; now: number }) {
  const times = useTimes();
  return (
    <Notice title="This range is in the future">
      <p>{`It begins in ${span(covered.from - now)}, on ${times.moment(covered.from)} ${times.offset(covered.from)}.`}</p>
      <Link to={{ ...view, range: DEFAULT_RANGE }}>Show the last hour</Link>
    </Notice>
  );
}
