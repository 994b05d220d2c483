/** The frame around every page: navigation, the range, the live switch, and signing out. */
import { useEffect, useRef, useState } from "preact/hooks";
import { setToken, useSession } from "./api/session.ts";
import { FunctionPage } from "./function/function-page.tsx";
import { Overview } from "./overview/overview.tsx";
import { LiveSwitch } from "./parts/live-switch.tsx";
import { RangePicker } from "./parts/range-picker.tsx";
import { Denied } from "./parts/denied.tsx";
import { Pipeline } from "./pipeline/pipeline.tsx";
import { refreshMs } from "./view/range.ts";
import { Link } from "./view/link.tsx";
import { useView, type View } from "./view/view.ts";

export function App() {
  const view = useView();
  const { token, denied } = useSession();
  const [isPaused, setPaused] = useState(false);
  const title = titleOf(view);
  const content = useRef<HTMLElement>(null);
  const shown = useRef(title);
  useEffect(() => {
    document.title = title;
    // The link that was followed is gone, so keyboard focus moves to the start of the new page.
    if (shown.current !== title) content.current?.focus({ preventScroll: true });
    shown.current = title;
  }, [title]);
  return (
    <>
      <a class="skip" href="#content">
        Skip to content
      </a>
      <header class="frame">
        <nav aria-label="Pages">
          <Link to={{ ...view, page: "functions", q: "" }} class="brand" current={view.page === "functions"}>
            <Logo />
            <span>Functions</span>
          </Link>
          <Link to={{ ...view, page: "pipeline" }} current={view.page === "pipeline"}>
            Pipeline
          </Link>
        </nav>
        <div class="controls">
          {view.page !== "pipeline" && <RangePicker view={view} />}
          <LiveSwitch
            isPaused={isPaused}
            setPaused={setPaused}
            moves={view.page === "pipeline" || refreshMs(view.range) !== null}
          />
          {token !== null && (
            <button type="button" class="quiet" onClick={() => setToken(null)}>
              Sign out
            </button>
          )}
        </div>
      </header>
      <main ref={content} id="content" tabIndex={-1}>
        {denied === null ? (
          // The key discards everything that another token has read.
          <Page key={token ?? ""} view={view} isPaused={isPaused} />
        ) : (
          <Denied denied={denied} isRefused={token !== null} />
        )}
      </main>
    </>
  );
}

function Page({ view, isPaused }: { view: View; isPaused: boolean }) {
  if (view.page === "pipeline") return <Pipeline isPaused={isPaused} />;
  if (view.of) {
    return <FunctionPage key={JSON.stringify(view.of)} of={view.of} view={view} isPaused={isPaused} />;
  }
  return <Overview view={view} isPaused={isPaused} />;
}

function Logo() {
  return (
    <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <path class="logo-calls" d="M2 17v-5m5 5V7m5 10V3" />
      <path class="logo-errors" d="M17 17v-2" />
    </svg>
  );
}

function titleOf({ page, of }: View): string {
  const what = of ? `${of.function} · ${of.service}` : page === "pipeline" ? "Pipeline" : "Functions";
  return `${what} · MetricsCollector`;
}
