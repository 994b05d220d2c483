/** Histories that randomness seldom meets, each for a hole that some innocent edit opens: they are run first. */
import type { Step } from "./step.ts";

const post: Step = {
  do: "post",
  calls: [{ service: "shop", function: "pay", ms: 5, times: 1 }],
  keyed: true,
  copies: 1,
  answer: "arrives",
};
const ring: Step = { do: "ring", when: "late", queue: "takes" };
const deliver = (messages: number[]): Extract<Step, { do: "deliver" }> => ({
  do: "deliver",
  messages,
  queue: "flushes",
  transactions: [],
  confirmation: "arrives",
  between: [],
});

export const knownHistories: Step[][] = [
  // What was pending is sealed, applied and forgotten by the ledger between a reader's two reads.
  [post, { do: "read", pauses: [[], [ring, deliver([0]), { do: "sweep" }]] }],
  // The same of what was sealed.
  [post, ring, { do: "read", pauses: [[], [deliver([0]), { do: "sweep" }]] }],
  // Of two flushes in one delivery, one is refused even alone.
  [
    post,
    ring,
    post,
    ring,
    {
      ...deliver([0, 1]),
      transactions: [{ failsBeforeStatement: 0 }, "commits", { failsBeforeStatement: 0 }],
    },
  ],
  // A copy comes after the floor.
  [post, ring, deliver([0]), { do: "sweep" }, deliver([0])],
  // A recreated buffer hears of its predecessor's flush of the same number.
  [post, ring, { do: "wipe" }, post, ring, deliver([1])],
  // More than there is room for.
  [{ do: "fill" }],
];
