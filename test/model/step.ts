/** The steps that a history is made of: plain values, so that a failing history can be shrunk and printed. */
import fc from "fast-check";

export interface Call {
  service: "bank" | "shop";
  function: "add" | "pay" | "sum";
  ms: number;
  /** Undefined: the sample does not say when, and is of now. */
  minutesAgo?: number | undefined;
  error?: "E" | "F" | undefined;
  /** Sent as one sum of so many calls. */
  times: number;
}

/** What happens to batches that go to the buffer together. */
export type GroupFate = "ends well" | "is cut off";
/** What is sent with them that the buffer knows: the latest batch that was acknowledged, and another under its key. */
export type Beside = "nothing old" | "an old batch" | "an old batch and an old key";
/** Where the buffer chokes on a batch: before it stores anything of it, or when it has stored a part. */
export type Broken = "at first" | "half-way";

export type TransactionFate =
  | "commits"
  | "commits, and its answer is lost"
  | { failsBeforeStatement: number };

export type Step =
  /** A new batch, in so many copies at once. A lost answer leaves its sender in doubt. */
  | { do: "post"; calls: Call[]; keyed: boolean; copies: number; answer: "arrives" | "is lost" }
  /** Several batches that go to the buffer together, perhaps all of them twice; and perhaps one that it chokes on. */
  | {
      do: "post together";
      batches: Call[][];
      twice: boolean;
      beside: Beside;
      broken: Broken | null;
      fate: GroupFate;
    }
  /** A batch of some 200 KB: more than one message. */
  | { do: "post much" }
  /** An acknowledged batch again; the latest is 0. */
  | { do: "post again"; batch: number }
  /** Other samples under the key of an acknowledged batch. */
  | { do: "reuse key"; batch: number }
  /** Senders in doubt send again, byte for byte. */
  | { do: "resend" }
  | { do: "wait"; hours: number }
  /** The alarm rings: at its time, too early, or so late that everything is due. */
  | {
      do: "ring";
      when: "early" | "on time" | "late";
      queue: "takes" | "refuses" | "takes one send, then refuses";
    }
  | { do: "evict" }
  | { do: "abort" }
  /** Fifteen flushes, so that there is room for one more; and then more than one message holds. */
  | { do: "fill" }
  /** Messages in one delivery, the latest sent is 0: any may be left out for ever, come late, or come again. */
  | {
      do: "deliver";
      messages: number[];
      queue: "flushes" | "dead letters";
      transactions: TransactionFate[];
      confirmation: "arrives" | "is lost" | "arrives, and its answer is lost";
      /** What happens after the first transaction, and before the confirmation. */
      between: Step[];
    }
  /** A sweep; and one that stops half-way: what it asks the buffer for, and what it does with it later. */
  | { do: "retain"; chunk: number; maxChunks: number; transactions: TransactionFate[]; between: Step[] }
  | { do: "ask floor" }
  | { do: "raise floor"; floor: number }
  /** A person sends a dead letter again, or gives it up: the oldest is 0. */
  | { do: "replay letter"; letter: number }
  | {
      do: "drop letter";
      letter: number;
      ledger: "commits" | "commits, and its answer is lost" | "fails";
      confirmation: "arrives" | "is lost" | "arrives, and its answer is lost";
      /** What happens before the ledger has it, and then before and after the buffer hears of it. */
      pauses: Step[][];
    }
  /** A reader, with what happens before each of its reads of the buffer and of D1. */
  | { do: "read"; pauses: Step[][] }
  | { do: "at once"; steps: Step[] }
  /** The buffer loses its storage. */
  | { do: "wipe" };

/** Any number names one, where there is one. */
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
const askFloor = fc.record({ do: fc.constant("ask floor") });
const raiseLowWatermark = fc.record({ do: fc.constant("raise floor"), floor: fc.nat({ max: 2 }) });
const replay = fc.record({ do: fc.constant("replay letter"), letter: fc.nat({ max: 1 }) });
const death = fc.record({ do: fc.constantFrom("evict", "abort") });

/** What may happen while something else waits, and changes no counter. */
const quiet = fc.oneof(
  { weight: 4, arbitrary: ring },
  { weight: 4, arbitrary: deliver(fc.constant([])) },
  { weight: 1, arbitrary: death },
  { weight: 1, arbitrary: retain },
  { weight: 1, arbitrary: askFloor },
  { weight: 1, arbitrary: raiseLowWatermark },
  { weight: 1, arbitrary: replay },
) as fc.Arbitrary<Step>;
const during = fc.oneof(
  { weight: 2, arbitrary: post as fc.Arbitrary<Step> },
  { weight: 13, arbitrary: quiet },
);

/** The whole way of a flush, from its first batch or from its sealing until the ledger forgets it, and nothing fails. */
const goodRing = fc.record({
  do: fc.constant("ring"),
  when: fc.constant("late"),
  queue: fc.constant("takes"),
});
const goodDelivery = fc.record({
  do: fc.constant("deliver"),
  messages: fc.constant([0, 1, 2, 3]),
  queue: fc.constant("flushes"),
  transactions: fc.constant([]),
  confirmation: fc.constant("arrives"),
  between: fc.constant([]),
});
const goodSweep = fc.record({
  do: fc.constant("retain"),
  chunk: fc.constantFrom(10_000, 3),
  maxChunks: fc.constant(6),
  transactions: fc.constant([]),
  between: fc.constant([]),
});
const goodFloor = fc.constant([{ do: "ask floor" }, { do: "raise floor", floor: 0 }]);
const wholeWay = fc
  .tuple(fc.array(post, { maxLength: 1 }), fc.array(goodRing, { maxLength: 1 }), goodDelivery, goodFloor)
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

const step = fc.oneof(
  { weight: 42, arbitrary: post },
  { weight: 6, arbitrary: postWithoutKey },
  {
    weight: 7,
    arbitrary: fc.record({
      do: fc.constant("post together"),
      batches: fc.array(fc.array(call, { minLength: 1, maxLength: 2 }), { minLength: 2, maxLength: 3 }),
      twice: fc.boolean(),
      beside: fc.constantFrom("nothing old", "an old batch", "an old batch and an old key"),
      // In the known histories only: the runtime prints what is thrown.
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
  { weight: 6, arbitrary: askFloor },
  { weight: 9, arbitrary: raiseLowWatermark },
  { weight: 6, arbitrary: replay },
  { weight: 6, arbitrary: drop },
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
) as fc.Arbitrary<Step>;

/** Some of what takes several steps in their order, and would seldom be met otherwise. */
const refused = fc.record({
  do: fc.constant("deliver"),
  messages: fc.constant([0]),
  queue: fc.constant("dead letters"),
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
    fc.tuple(
      goodPost,
      goodPost,
      goodRing,
      goodDelivery,
      longWait,
      retain,
      fc.array(goodSweep, { maxLength: 1 }),
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

/** With what takes long: run in the long runs, and once among the known ones. */
export const longHistory = fc
  .tuple(history, fc.constantFrom<Step>({ do: "fill" }, { do: "post much" }), history)
  .map(([before, long, after]) => [...before, long, ...after]);
