/** The button that pauses and resumes automatic refresh, and a clock for texts such as "3 min ago". */
import { useEffect, useState } from "preact/hooks";

interface LiveSwitchProps {
  isPaused: boolean;
  setPaused: (isPaused: boolean) => void;
  /** False for a fixed range. */
  moves: boolean;
}

export function LiveSwitch({ isPaused, setPaused, moves }: LiveSwitchProps) {
  if (!moves) return <span class="live fixed">Not live</span>;
  return (
    <button
      type="button"
      class={isPaused ? "live paused" : "live"}
      aria-pressed={!isPaused}
      title={isPaused ? "Automatic refresh is paused" : "Refreshes automatically"}
      onClick={() => setPaused(!isPaused)}
    >
      <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
        {isPaused ? <path d="M2 1h3v10H2zm5 0h3v10H7z" /> : <circle cx="6" cy="6" r="4" />}
      </svg>
      {isPaused ? "Paused" : "Live"}
    </button>
  );
}

/** The current time, updated every `everyMs` milliseconds. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
