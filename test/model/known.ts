/** Histories that run before the random ones. Each shows a fault that a plausible edit would cause and chance seldom finds. */
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
  release: "this",
  transactions: [],
  confirmation: "arrives",
  between: [],
});

/** A delivery that D1 refuses, so that its flush becomes a dead letter. */
const refused = (messages: number[]): Step => ({
  ...deliver(messages),
  queue: "dead letters",
  transactions: [{ failsBeforeStatement: 1 }],
});

const copyD1: Step = { do: "copy D1" };
const goBack = { do: "D1 goes back", to: 0 } as const;
const recall: Step = { do: "recall" };
const deletion: Step = {
  do: "delete",
  service: "shop",
  function: "pay",
  ledger: "commits",
  confirmation: "arrives",
  pauses: [],
};

const drop: Extract<Step, { do: "drop letter" }> = {
  do: "drop letter",
  letter: 0,
  ledger: "commits",
  confirmation: "arrives",
  pauses: [],
};

/** A flush becomes a dead letter, and a person drops it. */
const dropped = (how: Partial<typeof drop>): Step[][] => [
  [
    post,
    post,
    ring,
    refused([0]),
    post,
    { ...drop, ...how },
    deliver([0]),
    { do: "replay letter", letter: 0 },
  ],
];

export const knownHistories: Step[][] = [
  // Pending deltas are sealed, applied, and passed by the low watermark between a reader's two requests.
  [post, { do: "read", pauses: [[], [ring, deliver([0]), retain]] }],
  // The same with a flush that was sealed before.
  [post, ring, { do: "read", pauses: [[], [deliver([0]), retain]] }],
  // A flush is confirmed while it is sent again, and the queue refuses that send.
  [
    post,
    ring,
    { do: "at once", steps: [ring, deliver([0]), { do: "ring", when: "late", queue: "refuses" }] },
  ],
  // D1 refuses one of two flushes of a delivery, together and alone.
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
  // One seal makes two flushes, and the next seal a third.
  [{ do: "post much" }, ring, deliver([0, 1]), post, ring, deliver([0])],
  // Copies come after the low watermark has passed them. The ledger still has the entry of the last flush only.
  [post, ring, post, ring, deliver([0, 1]), retain, deliver([0]), deliver([0])],
  // A retention job asked the buffer long ago and raises the low watermark now. It must not fall.
  [
    post,
    ring,
    { do: "ask low watermark" },
    deliver([0]),
    post,
    ring,
    deliver([0]),
    retain,
    { do: "raise low watermark", which: 0 },
    deliver([1]),
  ],
  // A flush reaches D1 after a reader has read both, and before it might start over.
  [post, ring, { do: "read", pauses: [[], [], [deliver([0])]] }],
  // A buffer with new storage gets the confirmation of an old flush with the same number.
  [post, ring, { do: "wipe" }, post, ring, deliver([1])],
  // A batch comes again shortly before its key may be deleted, long after the day of the key has ended.
  [post, { do: "wait", hours: 71 }, post, { do: "post again", batch: 1 }],
  // Storing one batch of a group fails, before a part of it is stored and after.
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
  // Two minutes become hours and then days: together, or the second one late.
  ...[49, 2_200].flatMap((hours): Step[][] => {
    const later = { ...post, calls: [{ ...post.calls[0]!, ms: 7.5, minutesAgo: 10 }] };
    const [two, wait] = [[post, ring, later, ring], { do: "wait", hours } as const];
    return [
      [...two, deliver([0, 1]), wait, retain, retain],
      [...two, deliver([1]), wait, retain, deliver([0]), retain],
    ];
  }),
  // A dead letter is dropped: with a late copy, with one that D1 takes at the last moment, and with unknown outcomes.
  ...dropped({ pauses: [[], [], [deliver([0])]] }),
  ...dropped({ pauses: [[deliver([0])]] }),
  ...dropped({ pauses: [[deliver([0]), ring, deliver([0]), retain]] }),
  ...dropped({ ledger: "fails" }),
  ...dropped({ ledger: "commits, and its answer is lost" }),
  ...dropped({ confirmation: "is lost" }),
  // A dead letter waits while the retention job runs. It must stay above the low watermark, and count after its replay.
  [
    post,
    ring,
    refused([0]),
    post,
    ring,
    deliver([0]),
    retain,
    { do: "replay letter", letter: 0 },
    ring,
    deliver([0]),
  ],
  // Two calls of one function in one batch, the second at the first moment of the next minute.
  [{ ...post, calls: [2, 1].map((minutesAgo) => ({ ...post.calls[0]!, minutesAgo })) }, ring, deliver([0])],
  // A release that does not know the version of a flush gets it. After the next deploy the flush is replayed.
  [
    post,
    ring,
    { ...deliver([0]), release: "newer" },
    retain,
    { do: "replay letter", letter: 0 },
    ring,
    deliver([0]),
  ],
  // D1 has a flush when a release that does not know its version gets a copy.
  [
    post,
    ring,
    { ...deliver([0]), confirmation: "is lost" },
    { ...deliver([0]), release: "newer" },
    retain,
    deliver([0]),
  ],
  // Two releases of the buffer send the same flush.
  [
    post,
    ring,
    { ...deliver([0]), release: "older", confirmation: "is lost" },
    ring,
    deliver([0]),
    deliver([0]),
  ],
  // D1 goes back by some flushes, and the retention job raises the low watermark before anybody noticed.
  [
    post,
    ring,
    deliver([0]),
    copyD1,
    post,
    ring,
    deliver([0]),
    post,
    ring,
    deliver([0]),
    goBack,
    { do: "ask low watermark" } as const,
    { do: "raise low watermark", which: 0 } as const,
    recall,
    ring,
    retain,
    deliver([0, 1]),
  ],
  // The retention job asked before D1 went back, and raises the low watermark afterwards.
  [
    copyD1,
    post,
    ring,
    deliver([0]),
    { do: "ask low watermark" } as const,
    goBack,
    recall,
    { do: "raise low watermark", which: 0 } as const,
    ring,
    deliver([0]),
  ],
  // D1 goes back while a confirmation is on its way.
  [copyD1, post, ring, { ...deliver([0]), between: [goBack, recall] }, recall, ring, deliver([0])],
  // D1 goes back to before a deletion, and gets a later flush before anybody noticed.
  [
    post,
    ring,
    deliver([0]),
    copyD1,
    deletion,
    post,
    ring,
    goBack,
    deliver([0]),
    recall,
    ring,
    deliver([0, 1, 2]),
    deliver([0, 1, 2]),
  ],
  // The same, and a second deletion comes before the first one comes again.
  [post, ring, deliver([0]), copyD1, deletion, post, goBack, deletion, post, ring, deliver([0, 1]), recall],
  // The same, from before the calls that the deletion takes: neither is in D1, and both are sent again.
  [copyD1, post, ring, deliver([0]), deletion, goBack, recall, ring, deliver([0, 1])],
  // A dropped dead letter stays dropped.
  [...dropped({})[0]!, post, ring, deliver([0]), goBack, recall, ring, deliver([0, 1])],
  // The queue brings a copy while the buffer was not told of a drop yet. The dead letter stays dropped then too.
  ...[
    [{ ...drop, confirmation: "is lost" } as const, deliver([0])],
    [{ ...drop, ledger: "commits, and its answer is lost" } as const, deliver([0])],
    [{ ...drop, pauses: [[], [deliver([0])]] }],
  ].map((steps): Step[] => [post, ring, refused([0]), ...steps, goBack, recall]),
  // The clock is set back after a call.
  [post, { do: "wait", hours: -1 }, retain],
  // D1 goes back, and forward again to where it came from.
  [
    copyD1,
    post,
    ring,
    deliver([0]),
    copyD1,
    { ...goBack, to: 1 },
    recall,
    post,
    ring,
    deliver([0]),
    goBack,
    recall,
  ],
  // More flushes than there is room for.
  [{ do: "fill" }],
];
