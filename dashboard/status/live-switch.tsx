/** The button that pauses and resumes automatic refresh, or leads from a fixed range back to a live one. */
import { useEffect, useRef } from "preact/hooks";
import { DEFAULT_RANGE, isLive } from "../range/range.ts";
import { useNow } from "../times/use-now.ts";
import { Link } from "../view/link.tsx";
import type { View } from "../view/view.ts";
import { type Condition, conditionOf, type Freshness } from "./freshness.ts";

interface LiveSwitchProps {
  view: View;
  freshness: Freshness;
  isPaused: boolean;
  setPaused: (isPaused: boolean) => void;
}

const LABELS: Record<Condition, string> = {
  fresh: "Live",
  waiting: "Waiting",
  old: "Not refreshed",
  failed: "Not refreshed",
};

export function LiveSwitch({ view, freshness, isPaused, setPaused }: LiveSwitchProps) {
  const condition = conditionOf(freshness, useNow(1_000));
  const lastLive = useRef(DEFAULT_RANGE);
  const isFixed = view.page !== "pipeline" && !isLive(view.range);
  useEffect(() => {
    if (isLive(view.range)) lastLive.current = view.range;
  }, [view.range]);
  if (isFixed) {
    return (
      <span class="live fixed">
        Not live. <Link to={{ ...view, range: lastLive.current }}>Back to live</Link>
      </span>
    );
  }
  return (
    <button
      type="button"
      class={`live ${isPaused ? "paused" : condition}`}
      aria-pressed={!isPaused}
      title={isPaused ? "Resume automatic refresh" : "Pause automatic refresh"}
      onClick={() => setPaused(!isPaused)}
    >
      <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
        {isPaused ? <path d="M2 1h3v10H2zm5 0h3v10H7z" /> : <circle cx="6" cy="6" r="4" />}
      </svg>
      {isPaused ? "Paused" : LABELS[condition]}
    </button>
  );
}

const KEY = "metrics-collector.paused";

/** Whether the reader paused automatic refresh in this tab. A reload keeps it. */
export function readPaused(): boolean {
  return sessionStorage.getItem(KEY) !== null;
}

export function storePaused(isPaused: boolean): void {
  if (isPaused) sessionStorage.setItem(KEY, "true");
  else sessionStorage.removeItem(KEY);
}
