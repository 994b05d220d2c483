/** Buttons that move or zoom the range, for the keyboard and for touch screens. */
import { scaledBy, shifted } from "../view/range.ts";
import { goTo, type View } from "../view/view.ts";

export function ZoomButtons({ view }: { view: View }) {
  const { range } = view;
  const now = Date.now();
  const choices = [
    { name: "Earlier", sign: "‹", range: () => shifted(range, -1, now) },
    { name: "Later", sign: "›", range: () => shifted(range, 1, now) },
    { name: "Zoom in", sign: "+", range: () => scaledBy(range, 0.5, now) },
    { name: "Zoom out", sign: "−", range: () => scaledBy(range, 2, now) },
  ];
  return (
    <div class="zoom" role="group" aria-label="Move the range">
      {choices.map((choice) => (
        <button
          type="button"
          key={choice.name}
          aria-label={choice.name}
          title={choice.name}
          disabled={choice.name === "Later" && "last" in range}
          onClick={() => goTo({ ...view, range: choice.range() })}
        >
          {choice.sign}
        </button>
      ))}
    </div>
  );
}
