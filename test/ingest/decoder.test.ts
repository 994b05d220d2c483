/**
 * A second request format, to show that everything in `src/ingest/` outside `samples/` serves any format: lines of text,
 * with several services in one request, keys made from the content, and batches of at most two samples.
 */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { BatchSum } from "../../src/ingest/batch-sum.ts";
import type { Batch } from "../../src/ingest/batch.ts";
import type { Decoder } from "../../src/ingest/decoder.ts";
import { ingest } from "../../src/ingest/ingest.ts";
import { deployed, secrets } from "../access/deployed.ts";
import { acknowledged, buffer, metrics } from "../worker.ts";

const TYPE = "text/x-lines";
const SAMPLES_PER_BATCH = 2;

/** Each line is `service function milliseconds`. */
const linesDecoder: Decoder = {
  body: { contentTypes: [TYPE], maxBytes: 1_000 },
  async decode(bytes) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    const text = new TextDecoder().decode(bytes);
    const lines = text.split("\n").map((line) => line.split(" "));
    const services = Map.groupBy(
      lines.filter(([service]) => service),
      ([service]) => service!,
    );
    return {
      parts: Array.from(services, ([service, ofService]) => ({
        service,
        sum: (now: number) => sumLines(service, ofService, digest, bytes.byteLength, now),
      })),
    };
  },
};

function sumLines(service: string, lines: string[][], digest: string, weight: number, now: number) {
  const batches: Omit<Batch, "service">[] = [];
  for (let first = 0; first < lines.length; first += SAMPLES_PER_BATCH) {
    const sum = new BatchSum(service, now);
    for (const [i, [, name, ms]] of lines.slice(first, first + SAMPLES_PER_BATCH).entries()) {
      const durationMs = Number(ms);
      if (Number.isNaN(durationMs)) sum.reject(i, "invalid", `${ms} is not a number.`);
      else sum.add(i, { function: name!, module: "", durationMs });
    }
    const { deltas, answer, rejected } = sum;
    batches.push({ key: `${digest}:${service}#${first}`, digest, weight, deltas, answer, rejected });
  }
  return batches;
}

function ingestLines(
  lines: string[],
  { to = env, headers = {} }: { to?: Env; headers?: Record<string, string> } = {},
) {
  const request = new Request("https://metrics.example/lines", {
    method: "POST",
    headers: { "Content-Type": TYPE, ...headers },
    body: lines.join("\n"),
  });
  return ingest(request, to, linesDecoder);
}

async function callsByService(): Promise<Record<string, number>> {
  const rows = await metrics();
  return Object.fromEntries(rows.map((row) => [`${row.service} ${row.function}`, row.calls]));
}

describe("a request of another format", () => {
  it("may hold several services and several batches of each", async () => {
    const lines = ["shop load 1", "bank pay 2", "shop load 3", "shop save ?", "shop load 5"];
    expect(await ingestLines(lines)).toEqual([
      { answer: { accepted: 2, rejected: 0, reasons: [] }, isDuplicate: false, rejected: {} },
      {
        answer: {
          accepted: 1,
          rejected: 1,
          reasons: [{ index: 0, reason: "? is not a number." }],
          rejectedRanges: [[0, 0]],
        },
        isDuplicate: false,
        rejected: { invalid: 1 },
      },
      { answer: { accepted: 1, rejected: 0, reasons: [] }, isDuplicate: false, rejected: {} },
    ]);
    expect(await callsByService()).toEqual({ "bank pay": 1, "shop load": 3 });
    expect(await buffer().health()).toMatchObject({ rejectedSamples: { invalid: 1 } });
  });

  it("counts once, however often it is sent", async () => {
    const lines = ["shop load 1", "bank pay 2", "shop load 3", "shop load 4"];
    await ingestLines(lines);
    const again = await ingestLines(lines);
    expect(again.map(({ isDuplicate }) => isDuplicate)).toEqual([true, true, true]);
    expect(await callsByService()).toEqual({ "bank pay": 1, "shop load": 3 });
  });

  it("may be empty", async () => {
    expect(await ingestLines([""])).toEqual([]);
  });

  it("is refused above the decoder's own size limit, and for another content type", async () => {
    await expect(ingestLines(["x".repeat(1_001)])).rejects.toMatchObject({ status: 413 });
    await expect(ingestLines([], { headers: { "Content-Type": "application/json" } })).rejects.toMatchObject({
      status: 415,
      message: `Content-Type must be ${TYPE}; it is "application/json".`,
    });
  });

  it("needs a token in its header, even if its content type is that of a beacon", async () => {
    const headers = { "Content-Type": "text/plain" };
    await expect(ingestLines([], { to: deployed(), headers })).rejects.toMatchObject({ status: 401 });
  });

  it("is refused as a whole if its token may not post for one of its services", async () => {
    const headers = { Authorization: "Bearer shop-writer" };
    await ingestLines(["shop load 1"], { to: deployed(), headers });
    await expect(
      ingestLines(["shop load 1", "bank pay 1"], { to: deployed(secrets), headers }),
    ).rejects.toMatchObject({ status: 403, code: "wrong_service" });
    expect(await callsByService()).toEqual({ "shop load": 1 });
  });
});

describe("a request of which only some batches can be recorded", () => {
  /** Fills the buffer, so that it refuses new batches and still knows old ones. */
  async function fillBuffer(): Promise<void> {
    await runInDurableObject(buffer(), (_, { storage: { sql } }) => {
      sql.exec(
        `INSERT INTO pending (items, received_at, bytes, deltas) VALUES (0, ${Date.now()}, ${2 ** 40}, '[]')`,
      );
    });
    await evictDurableObject(buffer());
  }

  async function emptyBuffer(): Promise<void> {
    await runInDurableObject(buffer(), (_, { storage: { sql } }) =>
      sql.exec("DELETE FROM pending WHERE items = 0"),
    );
    await evictDurableObject(buffer());
  }

  it("gets 503, and its recorded batches are duplicates when it is sent again", async () => {
    await ingestLines(["shop load 1"]);
    await fillBuffer();
    const lines = ["shop load 1", "bank pay 1"];
    // The key depends on all lines, so the first request's batch has another key.
    await expect(ingestLines(lines)).rejects.toMatchObject({ status: 503, code: "overloaded" });
    await emptyBuffer();
    await ingestLines(lines);
    expect((await ingestLines(lines)).map(({ isDuplicate }) => isDuplicate)).toEqual([true, true]);
    expect(await callsByService()).toEqual({ "bank pay": 1, "shop load": 2 });
  });

  it("gets 503 even if another of its batches gets an error that a retry cannot mend", async () => {
    const lines = ["shop load 1", "bank pay 1"];
    const digest = new Uint8Array(
      await crypto.subtle.digest("SHA-256", new TextEncoder().encode(lines.join("\n"))),
    ).toHex();
    await acknowledged([{ function: "other", durationMs: 1 }], { service: "shop", key: `${digest}:shop#0` });
    await fillBuffer();
    await expect(ingestLines(lines)).rejects.toMatchObject({ status: 503, code: "overloaded" });
    await emptyBuffer();
    await expect(ingestLines(lines)).rejects.toMatchObject({ status: 409, code: "key_reused" });
  });
});
