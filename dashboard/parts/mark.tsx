/** Marks a function that needs attention with a shape and a word for each kind, not only with a colour. */
import type { Attention } from "../api/client.ts";

export type Kind = Attention["items"][number]["kind"];

export const LABELS: Record<Kind, string> = { failing: "Failing", silent: "Silent", slower: "Slower" };

const SHAPES: Record<Kind, preact.JSX.Element> = {
  failing: (
    <>
      <path class="fill" d="M5.2 1h5.6L15 5.2v5.6L10.8 15H5.2L1 10.8V5.2z" />
      <path class="line" d="m5.5 5.5 5 5m0-5-5 5" />
    </>
  ),
  slower: (
    <>
      <path class="fill" d="M8 1.2 15.4 14.5H.6z" />
      <path class="line" d="M8 6v4m0 2v.4" />
    </>
  ),
  silent: (
    <>
      <circle class="ring" cx="8" cy="8" r="6.2" />
      <path class="bar" d="M5 8h6" />
    </>
  ),
};

export function Shape({ kind }: { kind: Kind }) {
  return (
    <svg class={`shape ${kind}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      {SHAPES[kind]}
    </svg>
  );
}

/** The shape alone, for a table row. The word is for screen readers, the sentence is the tooltip. */
export function Mark({ kind, sentence }: { kind: Kind; sentence: string }) {
  return (
    <span class="mark" title={`${LABELS[kind]}: ${sentence}`}>
      <Shape kind={kind} />
      <span class="heard">{LABELS[kind]}</span>
    </span>
  );
}
