/** Notices that a page is hidden or left, and that it comes back. */
import { type PageEvent, platform } from "../platform.ts";

export interface PageListener {
  onHide: () => void;
  /** The browser brings a left page back from its cache. */
  onShow: () => void;
}

const listeners = new Set<PageListener>();

/**
 * Browsers interrupt one of the first two events or skip it, depending on how a page is left. On `window` they come after
 * the program's own listeners on `document`, and so see what those have called.
 */
const EVENTS = ["pagehide", "visibilitychange", "pageshow"];

function onEvent({ type, persisted }: PageEvent): void {
  const isShown = type === "pageshow";
  if (type === "visibilitychange" ? !platform.document?.hidden : isShown && !persisted) return;
  for (const { onHide, onShow } of listeners) (isShown ? onShow : onHide)();
}

/** Calls back until the returned function is called. */
export function watchPage(listener: PageListener): () => void {
  listeners.add(listener);
  keepListening();
  return () => {
    listeners.delete(listener);
    if (!listeners.size) for (const name of EVENTS) platform.removeEventListener?.(name, onEvent);
  };
}

/** Adds the listeners, again if need be: `document.open()` removes them. Adding them twice changes nothing. */
export function keepListening(): void {
  for (const name of EVENTS) platform.addEventListener?.(name, onEvent);
}
