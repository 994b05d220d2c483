/** The line below the navigation: the age of the numbers, the refresh interval, the time zone, and a link to copy. */
import { useState } from "preact/hooks";
import { longestWaitMs } from "../api/limited-fetch.ts";
import { browserAheadMs, clockSource } from "../api/server-clock.ts";
import { age, span } from "../format.ts";
import { boundsOf } from "../range/bounds.ts";
import { fixed } from "../range/range.ts";
import { useTimes } from "../times/times.ts";
import { useNow } from "../times/use-now.ts";
import { Link } from "../view/link.tsx";
import { hrefOf, type View } from "../view/view.ts";
import { conditionOf, type Freshness, WAITING_MS } from "./freshness.ts";

interface StatusLineProps {
  view: View;
  freshness: Freshness;
  isPaused: boolean;
}

/** A smaller difference between the clocks is not worth a sentence. */
const CLOCK_ERROR_MS = 60_000;

export function StatusLine({ view, freshness, isPaused }: StatusLineProps) {
  const now = useNow(1_000);
  const times = useTimes();
  const isOld = !isPaused && conditionOf(freshness, now) !== "fresh";
  return (
    <div class="status">
      <p class={isOld ? "age late" : "age"}>
        {ageOf(freshness, now)}
        {longestWaitMs() > WAITING_MS && `. The server has not answered for ${span(longestWaitMs())}`}
      </p>
      {freshness.readAt > 0 && (
        <p class="dated">{`Numbers of ${times.moment(freshness.readAt)} (${times.offset(now)})`}</p>
      )}
      <p class="zone">
        {`Times in ${times.name}${times.zone === "utc" ? "" : ` (${times.offset(now)})`} `}
        <Link to={{ ...view, zone: times.zone === "utc" ? "local" : "utc" }}>
          {times.zone === "utc" ? "Use local time" : "Use UTC"}
        </Link>
      </p>
      {view.page !== "pipeline" && <CopyLink view={view} now={now} />}
      <ClockNote />
    </div>
  );
}

function ageOf({ readAt, intervalMs }: Freshness, now: number): string {
  if (readAt === 0) return "Not loaded yet";
  const every = intervalMs === null ? "" : `, refreshes every ${span(intervalMs)}`;
  return `Updated ${age(now - readAt)}${every}`;
}

/** Says which clock the page follows, if that is not obvious. */
function ClockNote() {
  const ahead = browserAheadMs();
  const text =
    clockSource() === "browser"
      ? "The server sent no time, so this page uses the clock of this device."
      : Math.abs(ahead) < CLOCK_ERROR_MS
        ? undefined
        : `The clock of this device is ${span(Math.abs(ahead))} ${ahead > 0 ? "fast" : "slow"}. This page uses the server's time.`;
  return text === undefined ? null : <p class="clock">{text}</p>;
}

/** Copies an address with a fixed range, so that it shows the same range tomorrow. */
function CopyLink({ view, now }: { view: View; now: number }) {
  const [said, setSaid] = useState("");
  const { from, to } = boundsOf(view.range, now);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(
        new URL(hrefOf({ ...view, range: fixed(from, to) }), location.href).href,
      );
      setSaid("Copied");
    } catch {
      setSaid("Could not copy");
    }
    setTimeout(() => setSaid(""), 2_000);
  };
  return (
    <button
      type="button"
      class="link"
      title="Copies a link to this view with its range fixed"
      onClick={() => void copy()}
    >
      <span aria-live="polite">{said || "Copy link"}</span>
    </button>
  );
}
