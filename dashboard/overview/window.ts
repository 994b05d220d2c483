/** Selects the rows near the visible part of a long table. Only those are rendered. */
import { options, type RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

export interface Window {
  start: number;
  end: number;
  /** Height in pixels of the rows left out before and after. */
  before: number;
  after: number;
}

/** Shorter tables are rendered whole, so that the browser's own search finds every row. */
const WORTH_IT = 150;
/** Extra rows on either side, for fast scrolling and for the Tab key. */
const BEYOND = 15;
/** Pixels; used until a row is measured. */
const ROW_HEIGHT = 37;

export function useWindow(body: RefObject<HTMLElement | null>, rows: number): Window {
  const [{ first, last, height }, setSeen] = useState({ first: 0, last: 60, height: ROW_HEIGHT });
  const isPrinting = usePrinting();
  const isWorthIt = rows > WORTH_IT && !isPrinting;

  useLayoutEffect(() => {
    if (!isWorthIt) return undefined;
    const look = () => {
      if (!body.current) return;
      const measured = body.current.querySelector("tr[aria-rowindex]")?.getBoundingClientRect().height;
      const rowHeight = measured ? measured : height;
      const above = -body.current.getBoundingClientRect().top;
      // In steps of ten rows, so that most scroll events render nothing.
      const firstSeen = Math.floor(above / rowHeight / 10) * 10;
      const seen = {
        first: firstSeen,
        last: firstSeen + Math.ceil(innerHeight / rowHeight) + 10,
        height: rowHeight,
      };
      setSeen((known) =>
        known.first === seen.first && known.last === seen.last && known.height === seen.height ? known : seen,
      );
    };
    look();
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => {
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, [isWorthIt, height]);

  if (!isWorthIt) return { start: 0, end: rows, before: 0, after: 0 };
  const start = Math.min(Math.max(0, first - BEYOND), Math.max(0, rows - 1));
  const end = Math.min(rows, Math.max(start + 1, last + BEYOND));
  return { start, end, before: start * height, after: (rows - end) * height };
}

/** Whether the browser prints. Then every row is rendered. */
function usePrinting(): boolean {
  const [isPrinting, setPrinting] = useState(false);
  useLayoutEffect(() => {
    // The browser prints right after this event, so the rows must be rendered before it ends.
    const before = () => {
      options.debounceRendering = (render) => render();
      setPrinting(true);
      delete options.debounceRendering;
    };
    const after = () => setPrinting(false);
    addEventListener("beforeprint", before);
    addEventListener("afterprint", after);
    return () => {
      removeEventListener("beforeprint", before);
      removeEventListener("afterprint", after);
    };
  }, []);
  return isPrinting;
}
