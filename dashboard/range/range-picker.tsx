/** Chooses the range that the whole page shows. */
import { useEffect, useRef, useState } from "preact/hooks";
import { serverNow } from "../api/server-clock.ts";
import { useTimes } from "../times/times.ts";
import { goTo, type View } from "../view/view.ts";
import { boundsOf } from "./bounds.ts";
import { type Moment, momentAt, readLength, readMoment } from "./moment.ts";
import { isSame, last, lengthMs, lengthName, PRESETS, rangeName } from "./range.ts";

export function RangePicker({ view }: { view: View }) {
  const presets = PRESETS.map((name) => ({ name, range: last(readLength(name)!) }));
  const chosen = presets.find(({ range }) => isSame(range, view.range));
  return (
    <div class="range" role="group" aria-label="Range">
      {presets.map(({ name, range }) => (
        <button
          type="button"
          key={name}
          aria-pressed={chosen?.name === name}
          title={`The last ${lengthName(readLength(name)!)}`}
          onClick={() => goTo({ ...view, range })}
        >
          {name.replace(/\D/, "\u00a0$&")}
        </button>
      ))}
      <CustomRange
        key={JSON.stringify([view.range, view.zone])}
        view={view}
        isChosen={chosen === undefined}
      />
    </div>
  );
}

function CustomRange({ view, isChosen }: { view: View; isChosen: boolean }) {
  const details = useRef<HTMLDetailsElement>(null);
  const [problem, setProblem] = useState("");
  const times = useTimes();
  useClosing(details);

  const apply = (event: SubmitEvent) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const [from, to] = ["from", "to"].map((name) => readMoment(textOf(given.get(name)), times.localOffsetMs));
    if (!from || !to)
      return setProblem(
        `"${from ? "To" : "From"}" must be a time such as ${times.field(serverNow())}, now or -6h.`,
      );
    if (lengthMs({ from, to }, serverNow()) <= 0) return setProblem('"From" must be earlier than "To".');
    return goTo({ ...view, range: { from, to } });
  };

  const { from, to } = view.range;
  const now = serverNow();
  return (
    <details ref={details} class={isChosen ? "custom chosen" : "custom"}>
      <summary>{isChosen ? nameOf(view, now, times.span) : "Custom"}</summary>
      <form onSubmit={apply}>
        <TimeField
          name="from"
          label="From"
          moment={"ago" in from ? { at: boundsOf(view.range, now).from } : from}
        />
        <TimeField name="to" label="To" moment={to} />
        <p class="quiet">{`Times in ${times.name} (${times.offset(now)}). Also: now, -6h, 2026-11-24T09:30:00Z.`}</p>
        {problem !== "" && <p role="alert">{problem}</p>}
        <button type="submit" class="primary">
          Show
        </button>
      </form>
    </details>
  );
}

function TimeField({ name, label, moment }: { name: string; label: string; moment: Moment }) {
  const times = useTimes();
  const value = "ago" in moment && moment.ago === 0 ? "now" : times.field(momentAt(moment, serverNow()));
  return (
    <label>
      {label}
      <input type="text" name={name} required autocomplete="off" spellcheck={false} defaultValue={value} />
    </label>
  );
}

/** Closes the form on a click outside and on Escape. */
function useClosing(details: { current: HTMLDetailsElement | null }): void {
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
}

function nameOf({ range }: View, now: number, span: (from: number, to: number) => string): string {
  const name = rangeName(range);
  if (name !== undefined) return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  return span(momentAt(range.from, now), momentAt(range.to, now));
}

function textOf(value: FormDataEntryValue | null): string {
  return typeof value === "string" ? value : "";
}
