import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { bundle, type Runtime, serve } from "../../scripts/runtime.ts";
import type { Listing } from "../../scripts/server.ts";
import { PROJECT } from "../../scripts/wrangler.ts";

const ROUNDS = 200;
const OTHERS = 5;
const body = JSON.stringify({ service: "shop", samples: [{ function: "work", durationMs: 1 }] });

let folder: string;
/** Runs without the proxy of `wrangler dev`, which would keep the connection to the Worker open. */
let server: Runtime;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "metrics-collector-hang-up-"));
  const script = await bundle(join(PROJECT, "src/index.ts"), folder);
  server = await serve({ script, stateFolder: join(folder, "state") });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const headersOf = (key: string) => ({ "Content-Type": "application/json", "Idempotency-Key": key });

async function post(key: string): Promise<number> {
  const response = await fetch(`${server.url}/samples`, { method: "POST", headers: headersOf(key), body });
  await response.text();
  return response.status;
}

/** Sends a whole batch and closes the connection after some milliseconds without waiting for the answer. */
async function postAndHangUp(key: string, afterMs: number): Promise<void> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => {});
  await once(socket, "connect");
  const headers = { ...headersOf(key), Host: hostname, "Content-Length": String(body.length) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.write(["POST /samples HTTP/1.1", ...lines, "", body].join("\r\n"));
  void sleep(afterMs).then(() => socket.resetAndDestroy());
}

it("answers every sender, even if another sender of the same group hangs up", async () => {
  for (let round = 0; round < ROUNDS; round++) {
    await postAndHangUp(`gone ${round}`, (round % 8) / 2);
    const others = Array.from({ length: OTHERS }, (_, i) => post(`here ${round} ${i}`));
    expect(await Promise.all(others)).toEqual(Array(OTHERS).fill(202));
  }
  // The senders that hung up got no answer, so they send again.
  for (let round = 0; round < ROUNDS; round++) expect(await post(`gone ${round}`)).toBe(202);
  await vi.waitFor(async () => {
    const { functions } = (await (await fetch(`${server.url}/metrics`)).json()) as Listing;
    expect(functions).toMatchObject([{ function: "work", calls: ROUNDS * (OTHERS + 1) }]);
  });
});
