/** Reads what each function did in each minute, hour or day from a server, one answer at a time. */
import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "../failure.ts";
import type { Reader } from "../worker-address.ts";
import type { Window } from "./windows.ts";

/** In the order of the columns of a CSV file. */
export const COLUMNS = [
  "service",
  "module",
  "function",
  "start",
  "seconds",
  "calls",
  "errors",
  "unmeasured",
  "averageMs",
  "minMs",
  "maxMs",
  "p50Ms",
  "p95Ms",
  "p99Ms",
] as const;
export type ExportedRow = Record<(typeof COLUMNS)[number], string | number | null>;

interface Named {
  service: string;
  module: string;
  function: string;
}

const ATTEMPTS = 20;
const LONGEST_WAIT_S = 30;

/** The functions that were called in the range. */
export async function readFunctions(reader: Reader, { from, to }: Omit<Window, "step">): Promise<Named[]> {
  const functions: Named[] = [];
  let cursor: string | null = null;
  do {
    const query = { from: iso(from), to: iso(to), limit: "1000", ...(cursor === null ? {} : { cursor }) };
    const page: { functions: Named[]; next: string | null } = await ask(reader, "/metrics", query);
    functions.push(...page.functions);
    cursor = page.next;
  } while (cursor !== null);
  return functions;
}

/** The steps of one function in which it was called. */
export async function* readRows(
  reader: Reader,
  { service, module, function: name }: Named,
  { from, to, step }: Window,
): AsyncGenerator<ExportedRow> {
  const answer: { stepSeconds: number; series: (ExportedRow & { at: string; calls: number })[] } = await ask(
    reader,
    "/function",
    { service, module, function: name, from: iso(from), to: iso(to), step: String(step / 1000) },
  );
  for (const { at, ...point } of answer.series) {
    if (point.calls === 0) continue;
    yield { ...point, service, module, function: name, start: at, seconds: answer.stepSeconds };
  }
}

async function ask<Answer>(
  { url, token }: Reader,
  path: string,
  query: Record<string, string>,
): Promise<Answer> {
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const address = new URL(`${path}?${new URLSearchParams(query).toString()}`, url);
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(address, { headers }).catch((error: unknown) => error as Error);
    if (response instanceof Response && response.ok) return (await response.json()) as Answer;
    const mayRetry = response instanceof Error || response.status === 429 || response.status >= 500;
    if (!mayRetry || attempt === ATTEMPTS) {
      const why = response instanceof Error ? response.message : await response.text();
      throw new Failure(`${url} does not answer ${address.pathname}: ${why.slice(0, 300)}`);
    }
    const after = response instanceof Response ? Number(response.headers.get("Retry-After") ?? 1) : 1;
    await sleep(Math.min(after || 1, LONGEST_WAIT_S) * 1000);
  }
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
