/** Buttons that move or zoom the range, for the keyboard and for touch screens. */
import { serverNow } from "../api/server-clock.ts";
import { goTo, type View } from "../view/view.ts";
import { isLive, scaledBy, shifted } from "./range.ts";

export function ZoomButtons({ view }: { view: View }) {
  const { range } = view;
  const choices = [
    { name: "Earlier", sign: "‹", range: () => shifted(range, -1, serverNow()) },
    { name: "Later", sign: "›", range: () => shifted(range, 1, serverNow()) },
    { name: "Zoom in", sign: "+", range: () => scaledBy(range, 0.5, serverNow()) },
    { name: "Zoom out", sign: "−", range: () => scaledBy(range, 2, serverNow()) },
  ];
  return (
    <div class="zoom" role="group" aria-label="Move the range">
      {choices.map((choice) => (
        <button
          type="button"
          key={choice.name}
          aria-label={choice.name}
          title={choice.name}
          disabled={choice.name === "Later" && isLive(range)}
          onClick={() => goTo({ ...view, range: choice.range() })}
        >
          {choice.sign}
        </button>
      ))}
    </div>
  );
}
