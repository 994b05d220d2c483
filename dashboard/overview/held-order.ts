/** Freezes the order of rows while the pointer or the keyboard focus is on them, so that no row moves away. */
import { useRef, useState } from "preact/hooks";

/**
 * While held, rows keep their places and get their new numbers; new rows come last. A change of `asked` (the range,
 * the filters or the sort order) always gives the new order.
 */
export function useHeldOrder<Row extends { key: string }>(
  rows: Row[],
  asked: string,
  isHeld: boolean,
): Row[] {
  const shown = useRef({ asked, keys: [] as string[] });
  let ordered = rows;
  if (isHeld && shown.current.asked === asked) {
    const byKey = new Map(rows.map((row) => [row.key, row]));
    const stayed = shown.current.keys.flatMap((key) => byKey.get(key) ?? []);
    const known = new Set(shown.current.keys);
    ordered = [...stayed, ...rows.filter(({ key }) => !known.has(key))];
  }
  shown.current = { asked, keys: ordered.map(({ key }) => key) };
  return ordered;
}

/** Whether to hold the order, and the event handlers for the element around the rows. */
export function useHold() {
  const [isPointedAt, setPointedAt] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const isHeld = isPointedAt || isFocused;
  const holding = {
    "data-held": isHeld,
    // Only a mouse: a touch sends no leave event, so it would hold the order for ever.
    onPointerEnter: (event: PointerEvent) => setPointedAt(event.pointerType === "mouse"),
    onPointerLeave: () => setPointedAt(false),
    onFocusIn: (event: FocusEvent) => {
      const target = event.target as Element;
      setFocused(target.matches(":focus-visible") && target.closest("tbody, .attention") !== null);
    },
    onFocusOut: () => setFocused(false),
  };
  return { isHeld, holding };
}
