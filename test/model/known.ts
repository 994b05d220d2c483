/** Histories that randomness seldom meets, each for a hole that some innocent edit opens: they are run first. */
import type { Step } from "./step.ts";

const post: Extract<Step, { do: "post" }> = {
  do: "post",
  calls: [{ service: "shop", function: "pay", ms: 5, times: 1 }],
  keyed: true,
  copies: 1,
  answer: "arrives",
};
const ring: Step = { do: "ring", when: "late", queue: "takes" };
const retain: Step = { do: "retain", chunk: 10_000, maxChunks: 20, transactions: [], between: [] };
const deliver = (messages: number[]): Extract<Step, { do: "deliver" }> => ({
  do: "deliver",
  messages,
  queue: "flushes",
  transactions: [],
  confirmation: "arrives",
  between: [],
});

/** A flush that D1 refuses for once, and is given up. */
const dropped = (how: Partial<Extract<Step, { do: "drop letter" }>>): Step[][] => [
  [
    post,
    post,
    ring,
    { ...deliver([0]), queue: "dead letters", transactions: [{ failsBeforeStatement: 1 }] },
    post,
    { do: "drop letter", letter: 0, ledger: "commits", confirmation: "arrives", pauses: [], ...how },
    deliver([0]),
    { do: "replay letter", letter: 0 },
  ],
];

export const knownHistories: Step[][] = [
  // What was pending is sealed, applied and forgotten by the ledger between a reader's two reads.
  [post, { do: "read", pauses: [[], [ring, deliver([0]), retain]] }],
  // The same of what was sealed.
  [post, ring, { do: "read", pauses: [[], [deliver([0]), retain]] }],
  // A flush is confirmed while it is being sent again, and the queue refuses that.
  [
    post,
    ring,
    { do: "at once", steps: [ring, deliver([0]), { do: "ring", when: "late", queue: "refuses" }] },
  ],
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
  // One seal makes two flushes, and the next one a third.
  [{ do: "post much" }, ring, deliver([0, 1]), post, ring, deliver([0])],
  // A copy comes after the floor, of which the ledger remembers only the last flush below it.
  [post, ring, post, ring, deliver([0, 1]), retain, deliver([0]), deliver([0])],
  // A sweep that was asked long ago raises the floor: it must not fall.
  [
    post,
    ring,
    { do: "ask floor" },
    deliver([0]),
    post,
    ring,
    deliver([0]),
    retain,
    { do: "raise floor", floor: 0 },
    deliver([1]),
  ],
  // What is sealed reaches D1 after a reader has read both, and before it might read again.
  [post, ring, { do: "read", pauses: [[], [], [deliver([0])]] }],
  // A recreated buffer hears of its predecessor's flush of the same number.
  [post, ring, { do: "wipe" }, post, ring, deliver([1])],
  // A batch comes again just before its key may be forgotten, and after the day of the key is past for long.
  [post, { do: "wait", hours: 71 }, post, { do: "post again", batch: 1 }],
  // One batch throws beside others, before anything of it is stored and after.
  ...(["at first", "half-way"] as const).map((broken): Step[] => [
    {
      do: "post together",
      batches: [post.calls, post.calls],
      twice: true,
      beside: "nothing old",
      broken,
      fate: "ends well",
    },
    { do: "evict" },
    ring,
  ]),
  // Rollups become hours, and then days, together; or one after the other, where the second comes late.
  ...[49, 2_200].flatMap((hours): Step[][] => {
    const later = { ...post, calls: [{ ...post.calls[0]!, ms: 7.5, minutesAgo: 10 }] };
    const [two, wait] = [[post, ring, later, ring], { do: "wait", hours } as const];
    return [
      [...two, deliver([0, 1]), wait, retain, retain],
      [...two, deliver([1]), wait, retain, deliver([0]), retain],
    ];
  }),
  // A dead letter is given up: a copy comes late; and one that D1 takes in the last moment, and one in doubt.
  ...dropped({ pauses: [[], [], [deliver([0])]] }),
  ...dropped({ pauses: [[deliver([0])]] }),
  ...dropped({ pauses: [[deliver([0]), ring, deliver([0]), retain]] }),
  ...dropped({ ledger: "fails" }),
  ...dropped({ ledger: "commits, and its answer is lost" }),
  ...dropped({ confirmation: "is lost" }),
  // More than there is room for.
  [{ do: "fill" }],
];
