/** Decides what an answer to a batch means: accepted, refused, or to be tried again. */
import { wallNow } from "./clock.ts";
import { MAX_RETRY_AFTER_MS } from "./limits.ts";
import type { Rejections } from "./outbox.ts";

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | null;
}

export type Verdict =
  | { kind: "accepted"; rejections: Rejections }
  | { kind: "refused"; message: string }
  /** `isSlow`: only a person can fix the cause. */
  | { kind: "retry"; message: string; isSlow: boolean; leastMs: number };

/** Why an answer says nothing about the batch. */
type Obstacle = "denied" | "misaddressed" | "busy";

/** Statuses with which the batch is sent again. Any other 4xx refuses it, if its body is an error of our server. */
const OBSTACLES: Readonly<Record<number, Obstacle>> = {
  0: "misaddressed", // A redirect that a browser does not follow.
  401: "denied",
  403: "denied",
  404: "misaddressed",
  405: "misaddressed",
  408: "busy",
  425: "busy",
  429: "busy",
};

const ADVICE: Readonly<Record<Obstacle, string>> = {
  denied: "Check the option token, and the Worker's INGEST_TOKENS and CORS_ORIGINS.",
  misaddressed:
    "This is not a MetricsCollector Worker. Check the option url for redirects, proxies and login pages.",
  busy: "The calls stay pending.",
};

/** Only an answer in the shape of our server settles a batch of so many samples. Everything else is tried again. */
export function judge({ status, text, retryAfter }: Answer, samples: number): Verdict {
  const body = parse(text);
  const isSuccess = status >= 200 && status < 300;
  const rejections = isSuccess || status === 422 ? readRejections(body, samples) : undefined;
  if (rejections) return { kind: "accepted", rejections };
  const error = readError(body);
  const message = `${status} ${error ?? text.slice(0, 300)}`;
  const isClientError = status >= 400 && status < 500;
  if (isClientError && error && !OBSTACLES[status]) return { kind: "refused", message };
  const obstacle = OBSTACLES[status] ?? (status >= 500 ? "busy" : "misaddressed");
  return {
    kind: "retry",
    message: `${message}. ${ADVICE[obstacle]}`,
    isSlow: obstacle !== "busy" && !isSuccess,
    leastMs: readRetryAfter(retryAfter),
  };
}

/** Undefined unless this is the server's answer to a batch of so many samples. */
function readRejections(body: unknown, samples: number): Rejections | undefined {
  const { accepted, rejected, reasons, rejectedRanges } = Object(body) as Record<string, any>;
  if (accepted + rejected !== samples || !Array.isArray(reasons)) return undefined;
  const places = new Set<number>();
  for (const [first, last] of rejectedRanges ?? reasons.map(({ index }) => [index, index])) {
    for (let place = first; place <= last && place < samples; place++) places.add(place);
  }
  return places.size === rejected ? { places, reason: String(reasons[0]?.reason) } : undefined;
}

/** The message of our server's error; undefined if the body is not one. */
function readError(body: unknown): string | undefined {
  const { code, message } = Object((Object(body) as { error?: unknown }).error) as Record<string, unknown>;
  return code && typeof message === "string" ? message : undefined;
}

/** Seconds or a date, in milliseconds from now, an hour at most; 0 if it is neither. */
function readRetryAfter(retryAfter: string | null): number {
  const waitMs = Number(retryAfter) * 1_000 || Date.parse(retryAfter!) - wallNow() || 0;
  return Math.min(waitMs, MAX_RETRY_AFTER_MS);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
