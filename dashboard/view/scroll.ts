/** Stores the scroll position with each entry of the browser's history, and restores it on the way back. */

/** The address and the position of the page when it was last left or reloaded. */
const KEY = "metrics-collector.scroll";
/** Safari allows 100 changes of history entries in 30 seconds. */
const STORE_MS = 400;

/** The position to restore once the page is long enough. Undefined if there is nothing to restore. */
let wanted: number | undefined;
let timer = 0;

/** Call once, before the page is rendered. The browser's own restoration runs before the data is there. */
export function restoreScroll(): void {
  history.scrollRestoration = "manual";
  want(positionAtUnload() ?? positionOf(history.state));
  addEventListener("popstate", (event) => want(positionOf(event.state)));
  new ResizeObserver(tryToRestore).observe(document.body);
  addEventListener("scroll", storeSoon, { passive: true });
  addEventListener("pagehide", () => sessionStorage.setItem(KEY, JSON.stringify([location.href, scrollY])));
  for (const input of ["wheel", "touchstart", "keydown", "pointerdown"]) {
    addEventListener(input, () => (wanted = undefined), { passive: true });
  }
}

/** Stores the position of the current entry now, before another one is added. */
export function rememberScroll(): void {
  clearTimeout(timer);
  timer = 0;
  if (wanted !== undefined) return;
  history.replaceState({ ...(history.state as object | null), scroll: Math.round(scrollY) }, "");
}

/** For a new page. */
export function scrollToStart(): void {
  wanted = undefined;
  scrollTo(0, 0);
}

function storeSoon(): void {
  if (timer === 0) timer = window.setTimeout(rememberScroll, STORE_MS);
}

function want(position: number): void {
  wanted = position;
  requestAnimationFrame(tryToRestore);
}

function tryToRestore(): void {
  if (wanted === undefined) return;
  if (document.documentElement.scrollHeight < wanted + innerHeight) return;
  scrollTo(0, wanted);
  wanted = undefined;
}

function positionOf(state: unknown): number {
  return (state as { scroll?: number } | null)?.scroll ?? 0;
}

/** The browser may ignore changes of its history while a page unloads, so that position is stored separately. */
function positionAtUnload(): number | undefined {
  const [entry] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  if (entry?.type === "navigate") return undefined;
  const [href, position] = JSON.parse(sessionStorage.getItem(KEY) ?? "[]") as [string?, number?];
  return href === location.href ? position : undefined;
}
