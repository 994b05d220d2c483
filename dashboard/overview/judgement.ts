/** The server's judgement of what needs attention, for the services and words that a reader chose. */
import { useMemo } from "preact/hooks";
import { type Attention, readAttention } from "../api/client.ts";
import { type Live, useLive } from "../api/use-live.ts";
import type { Kind } from "../parts/mark.tsx";
import type { View } from "../view/view.ts";
import { keyOf, matching, type Named, wordsOf } from "./matching.ts";

/** One reason why a function needs attention. A function can have more than one. */
export interface AttentionItem extends Named {
  key: string;
  /** The key of the function's row. */
  rowKey: string;
  kind: Kind;
  sentence: string;
  /** Epoch milliseconds. Null if it began before the history that the server knows. */
  since: number | null;
  /** `until` is in epoch milliseconds. */
  mute: { until: number; reason: string } | null;
}

/** A function that the server cannot judge, and why. */
export interface UnknownItem extends Named {
  rowKey: string;
  kind: Kind;
  reason: string;
}

export interface Judgement {
  items: AttentionItem[];
  muted: AttentionItem[];
  unknown: UnknownItem[];
  /** The server's time of the judgement, in epoch milliseconds. */
  at: number;
}

const EVERY_MS = 60_000;

export function useAttention(isPaused: boolean): Live<Attention> {
  return useLive("attention", readAttention, { everyMs: EVERY_MS, isPaused });
}

/** Undefined until the server has answered. */
export function useJudgement(answer: Attention | undefined, view: View): Judgement | undefined {
  const all = useMemo(() => answer && judgementOf(answer), [answer]);
  return useMemo(
    () =>
      all && {
        at: all.at,
        items: matching(all.items, view),
        muted: matching(all.muted, view),
        unknown: matching(all.unknown, view),
      },
    [all, view.service, view.q],
  );
}

/** How many functions the items are about. */
export function functionsIn(items: readonly { rowKey: string }[]): number {
  return new Set(items.map(({ rowKey }) => rowKey)).size;
}

function judgementOf({ at, items, unknown }: Attention): Judgement {
  const all = items.map(itemOf);
  return {
    at: Date.parse(at),
    items: all.filter(({ mute }) => mute === null),
    muted: all.filter(({ mute }) => mute !== null),
    unknown: unknown.map(({ kind, reason, ...id }) => ({ ...namedOf(id), kind, reason })),
  };
}

function itemOf(item: Attention["items"][number]): AttentionItem {
  const { service, module, function: name, kind, sentence, since, mute } = item;
  const named = namedOf({ service, module, function: name });
  return {
    ...named,
    key: `${named.rowKey}\n${kind}`,
    kind,
    sentence,
    since: since === null ? null : Date.parse(since),
    mute: mute && { until: Date.parse(mute.until), reason: mute.reason },
  };
}

function namedOf(id: { service: string; module: string; function: string }) {
  return { ...id, words: wordsOf(id), rowKey: keyOf(id) };
}
