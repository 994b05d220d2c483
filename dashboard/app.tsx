/** The frame around every page: navigation, the range, the live switch, and signing out. */
import { useEffect, useRef, useState } from "preact/hooks";
import { Alerts } from "./alerts/alerts.tsx";
import { setToken, useSession } from "./api/session.ts";
import { Explore } from "./explore/explore.tsx";
import { FunctionPage } from "./function/function-page.tsx";
import { Overview } from "./overview/overview.tsx";
import { Denied } from "./parts/denied.tsx";
import { isolate } from "./parts/name.tsx";
import { UnknownPage } from "./parts/unknown-page.tsx";
import { Pipeline } from "./pipeline/pipeline.tsx";
import { RangePicker } from "./range/range-picker.tsx";
import { FreshnessContext, NOTHING_READ } from "./status/freshness.ts";
import { LiveSwitch, readPaused, storePaused } from "./status/live-switch.tsx";
import { StatusLine } from "./status/status-line.tsx";
import { Troubles, useHealth } from "./status/troubles.tsx";
import { timesIn, TimesContext } from "./times/times.ts";
import { Link } from "./view/link.tsx";
import { NO_FILTERS, useView, type View } from "./view/view.ts";

export function App() {
  const view = useView();
  const { token, denied } = useSession();
  const [isPaused, setPaused] = useState(readPaused);
  const [freshness, setFreshness] = useState(NOTHING_READ);
  const content = useRef<HTMLElement>(null);
  useTitle(view, content);
  useEffect(() => storePaused(isPaused), [isPaused]);
  return (
    <TimesContext.Provider value={timesIn(view.zone)}>
      <a class="skip" href="#content">
        Skip to content
      </a>
      <header class="frame">
        <nav aria-label="Pages">
          <Link
            to={{ ...view, ...NO_FILTERS, page: "functions" }}
            class="brand"
            current={view.page === "functions"}
          >
            <Logo />
            <span>Functions</span>
          </Link>
          <Link to={{ ...view, page: "alerts" }} current={view.page === "alerts"}>
            Alerts
          </Link>
          <Link to={{ ...view, page: "explore" }} current={view.page === "explore"}>
            Explore
          </Link>
          <Link to={{ ...view, page: "pipeline" }} current={view.page === "pipeline"}>
            Pipeline
          </Link>
        </nav>
        <div class="controls">
          {RANGED.has(view.page) && <RangePicker view={view} />}
          <LiveSwitch view={view} freshness={freshness} isPaused={isPaused} setPaused={setPaused} />
          {token !== null && (
            <button type="button" class="quiet" onClick={() => setToken(null)}>
              Sign out
            </button>
          )}
        </div>
        {denied === null && <StatusLine view={view} freshness={freshness} isPaused={isPaused} />}
      </header>
      <main ref={content} id="content" tabIndex={-1}>
        <FreshnessContext.Provider value={setFreshness}>
          {denied === null ? (
            // The key discards everything that another token has read.
            <Page key={token ?? ""} view={view} isPaused={isPaused} />
          ) : (
            <Denied denied={denied} isRefused={token !== null} />
          )}
        </FreshnessContext.Provider>
      </main>
    </TimesContext.Provider>
  );
}

function Page({ view, isPaused }: { view: View; isPaused: boolean }) {
  const health = useHealth(view.page, isPaused);
  return (
    <>
      <Troubles health={health} view={view} />
      {view.problems.map((problem) => (
        <p key={problem} class="stale" role="alert">
          {problem}
        </p>
      ))}
      {view.page === "unknown" && <UnknownPage view={view} />}
      {view.page === "alerts" && <Alerts view={view} isPaused={isPaused} />}
      {view.page === "explore" && <Explore view={view} isPaused={isPaused} />}
      {view.page === "pipeline" && <Pipeline health={health} />}
      {view.page === "functions" && <Overview view={view} isPaused={isPaused} health={health.data} />}
      {view.of && <FunctionPage key={JSON.stringify(view.of)} of={view.of} view={view} isPaused={isPaused} />}
    </>
  );
}

/** Sets the window's title. On a new page, keyboard focus moves to its start, because the followed link is gone. */
function useTitle(view: View, content: { current: HTMLElement | null }): void {
  const title = titleOf(view);
  const shown = useRef(title);
  useEffect(() => {
    document.title = title;
    if (shown.current !== title) content.current?.focus({ preventScroll: true });
    shown.current = title;
  }, [title]);
}

function Logo() {
  return (
    <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <path class="logo-calls" d="M2 17v-5m5 5V7m5 10V3" />
      <path class="logo-errors" d="M17 17v-2" />
    </svg>
  );
}

/** The pages that show a range. */
const RANGED = new Set<View["page"]>(["functions", "function", "explore"]);

const TITLES = {
  functions: "Functions",
  alerts: "Alerts",
  explore: "Explore",
  pipeline: "Pipeline",
  unknown: "Page not found",
};

function titleOf({ page, of }: View): string {
  const what = page === "function" ? `${isolate(of!.function)} · ${isolate(of!.service)}` : TITLES[page];
  return `${what} · MetricsCollector`;
}
