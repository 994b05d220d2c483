/** Refreshing by itself, which can be paused; and when the numbers were read. */
import { useEffect, useState } from "preact/hooks";

interface LiveSwitchProps {
  isPaused: boolean;
  setPaused: (isPaused: boolean) => void;
  /** False for a range that stands still. */
  moves: boolean;
}

export function LiveSwitch({ isPaused, setPaused, moves }: LiveSwitchProps) {
  if (!moves) return <span class="live fixed">Fixed range</span>;
  return (
    <button
      type="button"
      class={isPaused ? "live paused" : "live"}
      aria-pressed={!isPaused}
      title={isPaused ? "Refreshing is paused" : "Refreshes by itself"}
      onClick={() => setPaused(!isPaused)}
    >
      <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
        {isPaused ? <path d="M2 1h3v10H2zm5 0h3v10H7z" /> : <circle cx="6" cy="6" r="4" />}
      </svg>
      {isPaused ? "Paused" : "Live"}
    </button>
  );
}

/** The time, told anew every so often: what says "3 min ago" must not stay so. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
