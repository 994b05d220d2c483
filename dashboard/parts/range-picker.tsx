/** Chooses the range that the whole page shows. */
import { useEffect, useRef, useState } from "preact/hooks";
import { at } from "../format.ts";
import { boundsOf, minuteWise, PRESETS } from "../view/range.ts";
import { goTo, type View } from "../view/view.ts";

const NAMES = { "15m": "15 minutes", "1h": "hour", "24h": "24 hours", "7d": "7 days", "90d": "90 days" };

export function RangePicker({ view }: { view: View }) {
  const { range } = view;
  const custom = "last" in range ? undefined : range;
  return (
    <div class="range" role="group" aria-label="Range">
      {PRESETS.map((last) => (
        <button
          type="button"
          key={last}
          aria-pressed={"last" in range && range.last === last}
          title={`The last ${NAMES[last]}`}
          onClick={() => goTo({ ...view, range: { last } })}
        >
          {last.replace(/\D/, "\u00a0$&")}
        </button>
      ))}
      <CustomRange key={JSON.stringify(range)} view={view} chosen={custom} />
    </div>
  );
}

function CustomRange({ view, chosen }: { view: View; chosen: { from: number; to: number } | undefined }) {
  const details = useRef<HTMLDetailsElement>(null);
  const [problem, setProblem] = useState("");
  const { from, to } = boundsOf(view.range, Date.now());

  useEffect(() => {
    const close = (event: Event) => {
      const isOutside = event.type === "pointerdown" && !details.current?.contains(event.target as Node);
      const isEscape = event instanceof KeyboardEvent && event.key === "Escape";
      if (details.current?.open && (isOutside || isEscape)) details.current.open = false;
    };
    document.addEventListener("pointerdown", close);
    document.addEventListener("keydown", close);
    return () => {
      document.removeEventListener("pointerdown", close);
      document.removeEventListener("keydown", close);
    };
  }, []);

  const apply = (event: SubmitEvent) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const bounds = { from: readLocal(given.get("from")), to: readLocal(given.get("to")) };
    if (!(bounds.from < bounds.to)) return setProblem('"From" must be earlier than "To".');
    return goTo({ ...view, range: minuteWise(bounds) });
  };

  return (
    <details ref={details} class={chosen ? "custom chosen" : "custom"}>
      <summary>{chosen ? `${at(chosen.from)} – ${at(chosen.to)}` : "Custom"}</summary>
      <form onSubmit={apply}>
        <label>
          From
          <input type="datetime-local" name="from" required defaultValue={writeLocal(from)} />
        </label>
        <label>
          To
          <input type="datetime-local" name="to" required defaultValue={writeLocal(to)} />
        </label>
        {problem !== "" && <p role="alert">{problem}</p>}
        <button type="submit" class="primary">
          Show
        </button>
      </form>
    </details>
  );
}

/** Local time in the format of datetime-local fields. */
function writeLocal(epochMs: number): string {
  return new Date(epochMs - new Date(epochMs).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function readLocal(value: FormDataEntryValue | null): number {
  return typeof value === "string" ? new Date(value).getTime() : Number.NaN;
}
