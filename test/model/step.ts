/** The steps of a history, and random histories. Steps are plain values, so that a failing history can be shrunk and printed. */
import fc from "fast-check";
import type { RequestFate } from "../sinks/store.ts";

export interface Call {
  service: "bank" | "shop";
  function: "add" | "pay" | "sum";
  ms: number;
  /** When the call was made. Undefined if the sample does not say, which means now. */
  minutesAgo?: number | undefined;
  error?: "E" | "F" | undefined;
  /** Above 1, the sample is a sum of this many calls. */
  times: number;
}

/** What happens to the buffer while it records a group. */
export type GroupFate = "ends well" | "is cut off";
/** Batches with a known key in the same group: the latest acknowledged batch again, and other samples under its key. */
export type Beside = "nothing old" | "an old batch" | "an old batch and an old key";
/** A batch that the buffer cannot store. It fails before anything of it is stored, or after a part is. */
export type Broken = "at first" | "half-way";

export type TransactionFate =
  | "commits"
  | "commits, and its answer is lost"
  | { failsBeforeStatement: number };

export type Step =
  /** A sink is made, works on its alarm, or is removed together with what its store has. */
  | { do: "add sink" }
  | { do: "sink works"; requests: RequestFate[] }
  | { do: "sink dies" }
  | { do: "remove sink" }
  /**
   * A new batch, sent `copies` times at once. If the answer is lost, its sender is in doubt. The sender's clock may be
   * wrong by `clockErrorHours`; it then says when it made the batch, and how long ago that is.
   */
  | {
      do: "post";
      calls: Call[];
      keyed: boolean;
      copies: number;
      answer: "arrives" | "is lost";
      clockErrorHours?: number;
    }
  /** Several batches in one group, perhaps each of them twice, and perhaps with one that the buffer cannot store. */
  | {
      do: "post together";
      batches: Call[][];
      twice: boolean;
      beside: Beside;
      broken: Broken | null;
      fate: GroupFate;
    }
  /** A request of OTLP, of spans or of everything that its process has counted since it began. The process may begin anew before. */
  | {
      do: "export";
      calls: Omit<Call, "service" | "minutesAgo">[];
      signal: "spans" | "cumulative";
      restarts: boolean;
      copies: number;
      answer: "arrives" | "is lost";
    }
  /** A batch of about 200 KB, which needs more than one message. */
  | { do: "post much" }
  /** Sends an acknowledged batch again. The latest is 0. */
  | { do: "post again"; batch: number }
  /** Sends other samples under the key of an acknowledged batch. */
  | { do: "reuse key"; batch: number }
  /** Senders in doubt send again, byte for byte. */
  | { do: "resend" }
  | { do: "wait"; hours: number }
  /** The alarm rings at its time, too early, or so late that everything is due. */
  | {
      do: "ring";
      when: "early" | "on time" | "late";
      queue: "takes" | "refuses" | "takes one send, then refuses";
    }
  | { do: "evict" }
  | { do: "abort" }
  /** Seals fifteen flushes, which leaves room for one, and then more than one message holds. */
  | { do: "fill" }
  /**
   * One delivery of the queue. The latest sent message is 0. Messages may be left out for ever, come late, or come again.
   * They may be as another release of the buffer would have sent them.
   */
  | {
      do: "deliver";
      messages: number[];
      queue: "flushes" | "dead letters";
      release: "this" | "older" | "newer";
      transactions: TransactionFate[];
      confirmation: "arrives" | "is lost" | "arrives, and its answer is lost";
      /** What happens between the first transaction and the confirmation. */
      between: Step[];
    }
  /** The retention job. The two steps after it are its first part alone: what it asks the buffer, and what it does with that later. */
  | { do: "retain"; chunk: number; maxChunks: number; transactions: TransactionFate[]; between: Step[] }
  | { do: "ask low watermark" }
  | { do: "raise low watermark"; which: number }
  /** A person replays a dead letter, or drops it. The oldest is 0. */
  | { do: "replay letter"; letter: number }
  | {
      do: "drop letter";
      letter: number;
      ledger: "commits" | "commits, and its answer is lost" | "fails";
      confirmation: "arrives" | "is lost" | "arrives, and its answer is lost";
      /** What happens before the ledger entry, before the buffer is told, and after it was told. */
      pauses: Step[][];
    }
  /** A person deletes a service, or one function of it. The pauses are as for a dropped letter. */
  | {
      do: "delete";
      service: Call["service"];
      function: Call["function"] | null;
      ledger: "commits" | "commits, and its answer is lost" | "fails";
      confirmation: "arrives" | "is lost" | "arrives, and its answer is lost";
      pauses: Step[][];
    }
  /** A read, with what happens before each of its requests to the buffer and to D1. */
  | { do: "read"; pauses: Step[][] }
  | { do: "at once"; steps: Step[] }
  /** The buffer loses its storage. */
  | { do: "wipe" }
  /**
   * D1 is copied, goes back to a copy, and is found to lack what the buffer had confirmed. The latest copy is 0. From the second
   * step until the third, counters may be too low.
   */
  | { do: "copy D1" }
  | { do: "D1 goes back"; to: number }
  | { do: "recall" };

/** The element with that number, counted around the end. Undefined if the list is empty. */
export function nth<T>(list: readonly T[], which: number): T | undefined {
  return list[which % list.length];
}

export function describeStep(step: Step): string {
  const { do: name, ...rest } = step;
  const details = Object.entries(rest).map(([key, value]) => {
    return `${key}: ${describeValue(value)}`;
  });
  return details.length > 0 ? `${name} (${details.join(", ")})` : name;
}

function describeValue(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(describeValue).join("; ")}]`;
  const isStep = typeof value === "object" && value !== null && "do" in value;
  return isStep ? describeStep(value as Step) : JSON.stringify(value);
}

const call: fc.Arbitrary<Call> = fc.record({
  service: fc.constantFrom("shop", "bank"),
  function: fc.constantFrom("add", "pay", "sum"),
  ms: fc.constantFrom(5, 0, 0.25, 7.5, 100.3),
  minutesAgo: fc.constantFrom(undefined, 0, 1, 70, 47 * 60, 49 * 60),
  error: fc.constantFrom(undefined, undefined, "E", "F"),
  times: fc.constantFrom(1, 1, 3),
});

const recent = fc.nat({ max: 3 });

const post = fc.record({
  do: fc.constant("post"),
  calls: fc.array(call, { minLength: 1, maxLength: 3 }),
  keyed: fc.constant(true),
  copies: fc.constantFrom(1, 1, 1, 2),
  answer: fc.constantFrom("arrives", "arrives", "arrives", "is lost"),
  clockErrorHours: fc.constantFrom(0, 0, 0, -72, -47, 72),
});
const exported = fc.record({
  do: fc.constant("export"),
  calls: fc.array(
    fc.record({
      function: fc.constantFrom("add", "pay", "sum"),
      ms: fc.constantFrom(5, 0, 0.25, 7.5, 100.3),
      error: fc.constantFrom(undefined, undefined, "E", "F"),
      times: fc.constantFrom(1, 1, 3),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  signal: fc.constantFrom("spans", "cumulative", "cumulative"),
  restarts: fc.constantFrom(false, false, false, true),
  copies: fc.constantFrom(1, 1, 1, 2),
  answer: fc.constantFrom("arrives", "arrives", "arrives", "is lost"),
});
const postWithoutKey = fc.record({
  do: fc.constant("post"),
  calls: fc.array(call, { minLength: 1, maxLength: 2 }),
  keyed: fc.constant(false),
  copies: fc.constantFrom(1, 2),
  answer: fc.constant("arrives"),
});
const ring = fc.record({
  do: fc.constant("ring"),
  when: fc.constantFrom("late", "late", "on time", "early"),
  queue: fc.constantFrom("takes", "takes", "takes", "takes", "refuses", "takes one send, then refuses"),
});
const transaction = fc.oneof(
  { weight: 2, arbitrary: fc.constant("commits" as const) },
  { weight: 1, arbitrary: fc.constant("commits, and its answer is lost" as const) },
  { weight: 2, arbitrary: fc.record({ failsBeforeStatement: fc.nat({ max: 8 }) }) },
);
const deliver = (between: fc.Arbitrary<Step[]>) =>
  fc.record({
    do: fc.constant("deliver"),
    messages: fc.array(recent, { minLength: 1, maxLength: 3, size: "max" }),
    queue: fc.constantFrom("flushes", "flushes", "flushes", "dead letters"),
    release: fc.constantFrom("this", "this", "this", "this", "this", "this", "older", "newer"),
    transactions: fc.array(transaction, { maxLength: 3, size: "max" }),
    confirmation: fc.constantFrom(
      "arrives",
      "arrives",
      "arrives",
      "is lost",
      "arrives, and its answer is lost",
    ),
    between,
  });
const retainWith = (between: fc.Arbitrary<Step[]>) =>
  fc.record({
    do: fc.constant("retain"),
    chunk: fc.constantFrom(10_000, 10_000, 1, 2, 3),
    maxChunks: fc.constantFrom(6, 6, 1, 3),
    transactions: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(transaction, { minLength: 1, maxLength: 3, size: "max" }) },
    ),
    between,
  });
const retain = retainWith(fc.constant([]));
const askLowWatermark = fc.record({ do: fc.constant("ask low watermark") });
const raiseLowWatermark = fc.record({ do: fc.constant("raise low watermark"), which: fc.nat({ max: 2 }) });
const replay = fc.record({ do: fc.constant("replay letter"), letter: fc.nat({ max: 1 }) });
const copyD1 = fc.record({ do: fc.constant("copy D1") });
const goBack = fc.record({ do: fc.constant("D1 goes back"), to: fc.constantFrom(0, 0, 1, 2) });
const recall = fc.record({ do: fc.constant("recall") });
const death = fc.record({ do: fc.constantFrom("evict", "abort") });

/** Steps that may run while another step waits, and that change no counter. */
const quiet = fc.oneof(
  { weight: 4, arbitrary: ring },
  { weight: 4, arbitrary: deliver(fc.constant([])) },
  { weight: 1, arbitrary: death },
  { weight: 1, arbitrary: retain },
  { weight: 1, arbitrary: askLowWatermark },
  { weight: 1, arbitrary: raiseLowWatermark },
  { weight: 1, arbitrary: replay },
) as fc.Arbitrary<Step>;
const during = fc.oneof(
  { weight: 2, arbitrary: post as fc.Arbitrary<Step> },
  { weight: 1, arbitrary: exported as fc.Arbitrary<Step> },
  { weight: 13, arbitrary: quiet },
);

/** The whole life of a flush without faults: from its first batch, or its seal, until the ledger has deleted its entry. */
const goodRing = fc.record({
  do: fc.constant("ring"),
  when: fc.constant("late"),
  queue: fc.constant("takes"),
});
const goodDeliveryStep: Step = {
  do: "deliver",
  messages: [0, 1, 2, 3],
  queue: "flushes",
  release: "this",
  transactions: [],
  confirmation: "arrives",
  between: [],
};
const goodDelivery = fc.constant(goodDeliveryStep);
const goodRetention = fc.record({
  do: fc.constant("retain"),
  chunk: fc.constantFrom(10_000, 3),
  maxChunks: fc.constant(6),
  transactions: fc.constant([]),
  between: fc.constant([]),
});
const goodLowWatermark = fc.constant([{ do: "ask low watermark" }, { do: "raise low watermark", which: 0 }]);
const wholeWay = fc
  .tuple(
    fc.array(post, { maxLength: 1 }),
    fc.array(goodRing, { maxLength: 1 }),
    goodDelivery,
    goodLowWatermark,
  )
  .map(([posts, rings, delivery, end]) => [...posts, ...rings, delivery, ...end]) as fc.Arbitrary<Step[]>;

const few = fc.oneof(
  { weight: 3, arbitrary: fc.array(during, { maxLength: 3 }) },
  { weight: 2, arbitrary: wholeWay },
);
const fewQuiet = fc.array(quiet, { maxLength: 2 });

const drop = fc.record({
  do: fc.constant("drop letter"),
  letter: fc.constantFrom(0, 0, 0, 1),
  ledger: fc.constantFrom("commits", "commits", "commits, and its answer is lost", "fails"),
  confirmation: fc.constantFrom("arrives", "arrives", "is lost", "arrives, and its answer is lost"),
  pauses: fc.array(fewQuiet, { maxLength: 3 }),
});

const deletion = fc.record({
  do: fc.constant("delete"),
  service: fc.constantFrom("shop", "shop", "bank"),
  function: fc.constantFrom("add", "pay", null),
  ledger: fc.constantFrom("commits", "commits", "commits, and its answer is lost", "fails"),
  confirmation: fc.constantFrom("arrives", "arrives", "is lost", "arrives, and its answer is lost"),
  pauses: fc.array(fc.array(during, { maxLength: 2 }), { maxLength: 3 }),
});

const requestFate = fc.constantFrom<RequestFate>(
  "taken",
  "taken",
  "taken, and its answer is lost",
  "lost",
  "arrives later",
  "refused",
  "busy",
);
const addSink = fc.record({ do: fc.constant("add sink") });
const sinkWorks = fc.record({
  do: fc.constant("sink works"),
  requests: fc.array(requestFate, { maxLength: 3 }),
});

const step = fc.oneof(
  { weight: 12, arbitrary: addSink },
  { weight: 30, arbitrary: sinkWorks },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("sink dies", "sink dies", "remove sink") }) },
  { weight: 42, arbitrary: post },
  { weight: 30, arbitrary: exported },
  { weight: 6, arbitrary: postWithoutKey },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant("post together"),
      batches: fc.array(fc.array(call, { minLength: 1, maxLength: 2 }), { minLength: 2, maxLength: 3 }),
      twice: fc.boolean(),
      beside: fc.constantFrom("nothing old", "an old batch", "an old batch and an old key"),
      // Broken batches are in the known histories only, because the runtime prints each error.
      broken: fc.constant(null),
      fate: fc.constantFrom("ends well", "ends well", "is cut off"),
    }),
  },
  { weight: 12, arbitrary: fc.record({ do: fc.constant("post again"), batch: recent }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("reuse key"), batch: recent }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("resend") }) },
  {
    weight: 9,
    arbitrary: fc.record({ do: fc.constant("wait"), hours: fc.constantFrom(1, -1, 25, 49, 73, 120, 2_200) }),
  },
  { weight: 42, arbitrary: ring },
  { weight: 6, arbitrary: death },
  { weight: 21, arbitrary: deliver(few) },
  { weight: 21, arbitrary: deliver(fc.constant([])) },
  { weight: 6, arbitrary: retain },
  { weight: 3, arbitrary: retainWith(few) },
  { weight: 6, arbitrary: askLowWatermark },
  { weight: 9, arbitrary: raiseLowWatermark },
  { weight: 6, arbitrary: replay },
  { weight: 6, arbitrary: drop },
  { weight: 9, arbitrary: deletion },
  {
    weight: 9,
    arbitrary: fc.record({ do: fc.constant("read"), pauses: fc.array(few, { minLength: 2, maxLength: 3 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("at once"),
      steps: fc.array(during, { minLength: 2, maxLength: 3 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("wipe") }) },
  { weight: 5, arbitrary: copyD1 },
  { weight: 5, arbitrary: goBack },
  { weight: 5, arbitrary: recall },
) as fc.Arbitrary<Step>;

/** Sequences of steps that random choice would seldom make in this order. */
const refused = fc.record({
  do: fc.constant("deliver"),
  messages: fc.constant([0]),
  queue: fc.constant("dead letters"),
  release: fc.constant("this"),
  transactions: fc.tuple(fc.record({ failsBeforeStatement: fc.nat({ max: 4 }) })),
  confirmation: fc.constantFrom("arrives", "arrives", "is lost"),
  between: fc.constant([]),
});
const goodPost = fc.record({
  do: fc.constant("post"),
  calls: fc.array(call, { minLength: 1, maxLength: 3 }),
  keyed: fc.constant(true),
  copies: fc.constant(1),
  answer: fc.constant("arrives"),
});
const longWait = fc.record({ do: fc.constant("wait"), hours: fc.constantFrom(49, 73, 2_200) });
const episode = fc
  .oneof(
    fc.tuple(goodPost, goodRing, refused, fc.array(step, { maxLength: 1 }), drop),
    // D1 goes back after a drop, which may have been half done when the queue brought a copy.
    fc.tuple(
      goodPost,
      goodRing,
      refused,
      drop,
      goodDelivery,
      fc.array(step, { maxLength: 1 }),
      goBack,
      recall,
    ),
    // A sink has a minute, which D1 then deletes, with or without calls that come later.
    fc.tuple(
      addSink,
      goodPost,
      goodRing,
      fc.oneof(goodDelivery, refused),
      fc.array(sinkWorks, { maxLength: 1 }),
      fc.record({ do: fc.constant("wait"), hours: fc.constantFrom(49, 400, 2_200) }),
      goodRetention,
      fc.array(fc.oneof(goodRing, goodDelivery, sinkWorks, goodRetention), { maxLength: 4 }),
    ),
    fc.tuple(
      goodPost,
      goodPost,
      goodRing,
      goodDelivery,
      longWait,
      retain,
      fc.array(goodRetention, { maxLength: 1 }),
    ),
    fc.tuple(
      goodPost,
      goodRing,
      fc.constantFrom<Step[]>([], [goodDeliveryStep]),
      copyD1,
      fc.oneof(step, goodPost),
      goodRing,
      goodDelivery,
      fc.array(step, { maxLength: 2 }),
      goBack,
      fc.array(step, { maxLength: 2 }),
      recall,
    ),
  )
  .map((parts) => parts.flat()) as fc.Arbitrary<Step[]>;

export const history = fc
  .array(fc.oneof({ weight: 12, arbitrary: step.map((one) => [one]) }, { weight: 1, arbitrary: episode }), {
    minLength: 1,
    maxLength: 5,
    size: "max",
  })
  .map((parts) => parts.flat());

/** Histories with a slow step. They run if many histories are asked for; one is among the known histories. */
export const longHistory = fc
  .tuple(history, fc.constantFrom<Step>({ do: "fill" }, { do: "post much" }), history)
  .map(([before, long, after]) => [...before, long, ...after]);
