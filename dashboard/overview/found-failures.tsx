/** Failures with the words that are searched for. */
import type { View } from "../view/view.ts";

export function FoundFailures(_: { view: View }) {
  return null;
}
