/** Holds the order still while somebody is at it: nothing jumps from under a pointer, or from under the keyboard. */
import { useRef, useState } from "preact/hooks";
import type { Row } from "./rows.ts";

/**
 * While held, what was shown stays where it was, with its new numbers; what is new comes after it. `asked` is what
 * the reader chose: another choice makes another order, held or not.
 */
export function useHeldOrder(rows: Row[], asked: string, isHeld: boolean): Row[] {
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

/** Whether to hold, and what tells so of the element that holds the rows. */
export function useHold() {
  const [isPointedAt, setPointedAt] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const holding = {
    // A finger is no pointer that rests: it would hold for ever.
    onPointerEnter: (event: PointerEvent) => setPointedAt(event.pointerType === "mouse"),
    onPointerLeave: () => setPointedAt(false),
    onFocusIn: (event: FocusEvent) => {
      const target = event.target as Element;
      setFocused(target.matches(":focus-visible") && target.closest("tbody, .attention") !== null);
    },
    onFocusOut: () => setFocused(false),
  };
  return { isHeld: isPointedAt || isFocused, holding };
}
