/** Asks a deployed Worker how it is, and sends it one sample. */
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../failure.ts";

export interface Health {
  status: "ok" | "degraded";
  problems: string[];
  version: string;
  bufferedSamples: number | null;
  unconfirmedFlushes: number | null;
  deadLetters: number | null;
  oldestBufferedAt: string | null;
  oldestUnconfirmedAt: string | null;
  lastFlushAt: string | null;
  lastRetentionAt: string | null;
}

export interface HealthAnswer {
  httpStatus: number;
  health: Health;
  /** How far this machine's clock is ahead of the server's, in milliseconds, within a second. */
  clockAheadMs: number | null;
}

/** A new workers.dev address answers after some seconds, and so does a new version everywhere. */
const PATIENCE_MS = 60_000;
const REQUEST_TIMEOUT_MS = 15_000;
const PAUSE_MS = 1_000;

/** @throws {Failure} if nothing that is a MetricsCollector answers */
export async function readHealth(url: string, readToken: string | undefined): Promise<HealthAnswer> {
  const response = await ask(url, "/health", { headers: authorised(readToken) });
  const health = (await response.json().catch(() => undefined)) as Partial<Health> | undefined;
  if (!Array.isArray(health?.problems)) {
    const { error } = (health ?? {}) as { error?: { code: string; message: string } };
    throw new Failure(`${url}/health answered ${response.status}${error ? `: ${error.message}` : "."}`);
  }
  const date = Date.parse(response.headers.get("Date") ?? "");
  return {
    httpStatus: response.status,
    health: health as Health,
    clockAheadMs: Number.isNaN(date) ? null : Date.now() - date,
  };
}

/** Waits until the version that was just uploaded answers. @throws {Failure} with the last reason if it does not */
export async function awaitVersion(
  url: string,
  readToken: string,
  version: string,
  patienceMs: number = PATIENCE_MS,
): Promise<HealthAnswer> {
  const deadline = Date.now() + patienceMs;
  while (true) {
    let reason: string;
    try {
      const answer = await readHealth(url, readToken);
      if (answer.health.version === version) return answer;
      reason = `${url} still runs version ${answer.health.version}`;
    } catch (error) {
      reason = (error as Error).message;
    }
    if (Date.now() >= deadline) throw new Failure(reason);
    await sleep(PAUSE_MS);
  }
}

/**
 * Sends one call of the function "deploy" of the service "metrics-collector", which lasted as long as this deployment.
 * The key makes it count once.
 */
export async function sendSample(
  url: string,
  ingestToken: string,
  key: string,
  durationMs: number,
): Promise<void> {
  const body = JSON.stringify({
    service: "metrics-collector",
    samples: [{ function: "deploy", durationMs }],
  });
  const response = await ask(url, "/samples", {
    method: "POST",
    headers: { ...authorised(ingestToken), "Content-Type": "application/json", "Idempotency-Key": key },
    body,
  });
  if (response.status !== 202) {
    throw new Failure(`${url}/samples answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
  }
}

/** @throws {Failure} if the Worker refuses */
export async function postAsAdmin<Answer>(url: string, path: string, adminToken: string): Promise<Answer> {
  const response = await ask(url, path, { method: "POST", headers: authorised(adminToken) });
  const answer = (await response.json().catch(() => undefined)) as Answer | undefined;
  if (response.ok && answer !== undefined) return answer;
  const { error } = (answer ?? {}) as { error?: { message: string } };
  throw new Failure(`${url}${path} answered ${response.status}${error ? `: ${error.message}` : "."}`);
}

async function ask(url: string, path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url + path, { ...init, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  } catch (error) {
    const { cause, message } = error as Error & { cause?: Error };
    throw new Failure(`${url} cannot be reached: ${cause?.message ?? message}`);
  }
}

const authorised = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { Authorization: `Bearer ${token}` };
