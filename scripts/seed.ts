/** Sends two hours of example data of a shop, with an incident at the end. Page tests and screenshots show it. */
import { bucketIndex } from "../src/stats/histogram.ts";

export interface Profile {
  service: string;
  module?: string;
  function: string;
  /** Calls per minute at the given number of minutes ago. */
  calls: (minutesAgo: number) => number;
  medianMs: (minutesAgo: number) => number;
  /** Standard deviation of the natural logarithm of the durations. */
  spread: number;
  errorRate?: (minutesAgo: number) => number;
  failures?: [name: string, message: string][];
  /** Share of calls without a measured duration, from 0 to 1. */
  unmeasured?: number;
}

const always = (value: number) => () => value;
/** `value` in the last `minutes` minutes, `before` earlier than that. */
const since = (minutes: number, value: number, before: number) => (minutesAgo: number) =>
  minutesAgo < minutes ? value : before;

export const SHOP: Profile[] = [
  {
    service: "payments",
    module: "card",
    function: "chargeCard",
    calls: always(240),
    medianMs: since(16, 310, 180),
    spread: 0.5,
    errorRate: since(16, 0.31, 0.004),
    failures: [
      ["CardGatewayError", "The gateway answered 503 Service Unavailable"],
      ["TimeoutError", "The card gateway did not answer within 2000 ms"],
      ["CardDeclined", "The card was declined: insufficient funds"],
    ],
  },
  { service: "payments", function: "refund", calls: always(6), medianMs: always(240), spread: 0.5 },
  {
    service: "payments",
    function: "verifySignature",
    calls: always(250),
    medianMs: always(0.34),
    spread: 0.4,
  },
  {
    service: "search",
    function: "suggest",
    calls: always(620),
    medianMs: since(38, 96, 21),
    spread: 0.7,
    errorRate: always(0.002),
    failures: [["IndexError", "Shard 3 is not ready"]],
  },
  { service: "search", function: "rankResults", calls: always(410), medianMs: always(38), spread: 0.4 },
  { service: "search", function: "normaliseQuery", calls: always(640), medianMs: always(0.05), spread: 0.5 },
  { service: "mail", function: "sendReceipt", calls: since(24, 0, 34), medianMs: always(420), spread: 0.6 },
  { service: "mail", function: "renderTemplate", calls: always(52), medianMs: always(7.2), spread: 0.5 },
  { service: "catalog", function: "listProducts", calls: always(520), medianMs: always(14), spread: 0.5 },
  {
    service: "catalog",
    module: "stock",
    function: "reserveStock",
    calls: always(46),
    medianMs: always(29),
    spread: 0.5,
    errorRate: always(0.011),
    failures: [["OutOfStock", "Only 0 of 1 are left"]],
  },
  {
    service: "catalog",
    function: "importFeed",
    calls: (ago) => (ago % 15 === 4 ? 1 : 0),
    medianMs: always(41_000),
    spread: 0.2,
  },
  {
    service: "web",
    function: "renderPage",
    calls: always(880),
    medianMs: always(62),
    spread: 0.6,
    errorRate: always(0.001),
    failures: [["RenderError", "Unknown product id"]],
  },
  {
    service: "web",
    module: "session",
    function: "readSession",
    calls: always(910),
    medianMs: always(1.8),
    spread: 0.5,
  },
  {
    service: "web",
    function: "hashCookie",
    calls: always(905),
    medianMs: always(1),
    spread: 0.1,
    unmeasured: 1,
  },
];

/** The calls of a function in one minute, as a sample. */
export interface Sum {
  function: string;
  module: string;
  at: number;
  calls: number;
  errors: number;
  unmeasured: number;
  sumMs: number;
  minMs: number | null;
  maxMs: number | null;
  histogram: Record<string, number>;
  failures: { name: string; message: string; calls: number }[];
}

/** How far back the calls of `seed` reach, in minutes. */
export const SEEDED_MINUTES = 125;

export interface SeedOptions {
  minutes?: number;
  token?: string;
}

/**
 * Sends the calls of the last `minutes` minutes to the server at `url`, service by service. The numbers depend only on
 * how many minutes ago a call happened, so every run sends the same numbers.
 *
 * @throws {Error} if the server rejects a sample
 */
export async function seed(
  url: string,
  profiles: readonly Profile[] = SHOP,
  { minutes = SEEDED_MINUTES, token }: SeedOptions = {},
): Promise<void> {
  const thisMinute = Math.floor(Date.now() / 60_000) * 60_000;
  for (const service of new Set(profiles.map((profile) => profile.service))) {
    const samples = profiles
      .filter((profile) => profile.service === service)
      .flatMap((profile, i) =>
        Array.from({ length: minutes }, (_, minutesAgo) => sumOf(profile, i, minutesAgo, thisMinute)),
      )
      .filter(({ calls }) => calls > 0);
    for (let i = 0; i < samples.length; i += 1_000)
      await send(url, service, samples.slice(i, i + 1_000), token);
  }
}

/**
 * Sends one batch to `POST /samples`.
 *
 * @throws {Error} if the answer is not 202 or a sample is rejected
 */
export async function send(url: string, service: string, samples: object[], token?: string): Promise<void> {
  const response = await fetch(new URL("/samples", url), {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ service, samples }),
  });
  const text = await response.text();
  if (response.status !== 202 || (JSON.parse(text) as { rejected: number }).rejected > 0) {
    throw new Error(`POST /samples: ${response.status} ${text.slice(0, 500)}`);
  }
}

/** The same `number` of a profile gives the same calls. `thisMinute` is in epoch milliseconds. */
export function sumOf(profile: Profile, number: number, minutesAgo: number, thisMinute: number): Sum {
  const random = generator(number * 7919 + minutesAgo * 104_729 + 1);
  const calls = Math.round(profile.calls(minutesAgo) * (0.85 + 0.3 * random()));
  const errors = Math.min(
    calls,
    Math.round(calls * (profile.errorRate?.(minutesAgo) ?? 0) * (0.7 + 0.6 * random())),
  );
  const unmeasured = Math.round(calls * (profile.unmeasured ?? 0));
  const durations = Array.from(
    { length: calls - unmeasured },
    () =>
      Math.round(profile.medianMs(minutesAgo) * Math.exp(profile.spread * normal(random)) * 1e3 + 1) / 1e3,
  );
  const histogram: Record<string, number> = {};
  for (const ms of durations) histogram[bucketIndex(ms)] = (histogram[bucketIndex(ms)] ?? 0) + 1;
  return {
    function: profile.function,
    module: profile.module ?? "",
    at: thisMinute - minutesAgo * 60_000,
    calls,
    errors,
    unmeasured,
    sumMs: durations.reduce((sum, ms) => sum + ms, 0),
    minMs: durations.length === 0 ? null : Math.min(...durations),
    maxMs: durations.length === 0 ? null : Math.max(...durations),
    histogram,
    failures: share(errors, profile.failures ?? []),
  };
}

/** Divides errors among kinds: each kind gets 60 % of what is left, the last kind the rest. */
function share(errors: number, kinds: readonly [string, string][]): Sum["failures"] {
  let left = errors;
  return kinds
    .map(([name, message], i) => {
      const calls = i === kinds.length - 1 ? left : Math.ceil(left * 0.6);
      left -= calls;
      return { name, message, calls };
    })
    .filter(({ calls }) => calls > 0);
}

/** The mulberry32 generator. The same seed gives the same numbers on every machine. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
