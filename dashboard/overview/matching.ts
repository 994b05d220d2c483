/** Tells functions apart, and selects those that match the service and the words that a reader chose. */
import type { View } from "../view/view.ts";

interface Identity {
  service: string;
  module: string;
  function: string;
}

export interface Named extends Identity {
  /** The text that a search looks at, in lower case. */
  words: string;
}

export function keyOf({ service, module, function: name }: Identity): string {
  return `${service}\n${module}\n${name}`;
}

export function wordsOf(of: Identity): string {
  return keyOf(of).toLowerCase();
}

/** Keeps those of the chosen service that contain every search word in the service, the module or the name. */
export function matching<T extends Named>(
  all: readonly T[],
  { service, q }: Pick<View, "service" | "q">,
): T[] {
  const words = q.normalize("NFC").toLowerCase().split(/\s+/).filter(Boolean);
  return all.filter(
    (one) => (service === "" || one.service === service) && words.every((word) => one.words.includes(word)),
  );
}
