import { describe, expect, it } from "vitest";
import { releaseBody } from "../../src/ingest/body-memory.ts";
import { readBody } from "../../src/ingest/read-body.ts";

const FORMAT = { contentTypes: ["text/csv", "application/x-protobuf"], maxBytes: 200_000 };

interface Sent {
  type?: string;
  encoding?: string;
  /** What the sender claims, true or not. */
  contentLength?: number;
  /** Bytes per chunk of the stream. */
  chunkBytes?: number;
}

/** A POST whose body arrives in chunks. */
function request(
  body: Uint8Array,
  { type = "text/csv", encoding, contentLength, chunkBytes = 1_000 }: Sent = {},
) {
  let at = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= body.length) return controller.close();
      controller.enqueue(body.slice(at, (at += chunkBytes)));
    },
  });
  const headers = new Headers({ "Content-Type": type });
  if (encoding !== undefined) headers.set("Content-Encoding", encoding);
  if (contentLength !== undefined) headers.set("Content-Length", String(contentLength));
  const { readable, writable } = new IdentityTransformStream();
  stream.pipeTo(writable).catch(() => {});
  return new Request("https://metrics.example/", { method: "POST", headers, body: readable });
}

const numbers = (length: number, from = 0) => Uint8Array.from({ length }, (_, i) => from + i);

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  return new Response(new Response(bytes).body!.pipeThrough(new CompressionStream("gzip"))).bytes();
}

describe("readBody returns the bytes that were sent", () => {
  it.each([0, 1, 16_383, 16_384, 65_535, 65_536, 65_537, 131_072, 200_000])(
    "of a body of %i bytes, whatever its Content-Length says",
    async (length) => {
      const body = numbers(length);
      for (const contentLength of [
        undefined,
        0,
        -1,
        1,
        1.5,
        length - 1,
        length,
        length + 1,
        1e12,
        Number.NaN,
      ]) {
        const sent = contentLength === undefined ? {} : { contentLength };
        expect(await readBody(request(body, sent), FORMAT)).toEqual(body);
      }
    },
  );

  it("decompressed, if they are gzip", async () => {
    const body = numbers(150_000);
    const zipped = await gzip(body);
    for (const contentLength of [1, zipped.length, 1e9]) {
      expect(await readBody(request(zipped, { encoding: " GZIP ", contentLength }), FORMAT)).toEqual(body);
    }
  });

  it("of a request without a body", async () => {
    const headers = { "Content-Type": "text/csv" };
    const empty = new Request("https://metrics.example/", { method: "POST", headers });
    expect(await readBody(empty, FORMAT)).toEqual(new Uint8Array(0));
  });

  it("and none of an earlier body, whose memory is used again", async () => {
    const earlier = await readBody(
      request(new Uint8Array(120_000).fill(7), { contentLength: 120_000 }),
      FORMAT,
    );
    releaseBody(earlier);
    const body = numbers(20_000);
    const later = await readBody(request(body, { contentLength: 20_000 }), FORMAT);
    expect(later).toEqual(body);
    // New memory would be as small as the body.
    expect(later.buffer.byteLength).toBeGreaterThanOrEqual(120_000);
  });

  it("each in memory of its own while none is released", async () => {
    const bodies = [numbers(30_000, 1), numbers(30_000, 2), numbers(30_000, 3)];
    const read = await Promise.all(bodies.map((body) => readBody(request(body), FORMAT)));
    expect(read).toEqual(bodies);
  });
});

describe("readBody takes the accepted content types as an argument", () => {
  it.each(["text/csv", "TEXT/CSV; charset=utf-8", "application/x-protobuf"])("accepts %s", async (type) => {
    expect(await readBody(request(numbers(3), { type }), FORMAT)).toEqual(numbers(3));
  });

  it.each(["application/json", "text/csvx", ""])("rejects %j", async (type) => {
    await expect(readBody(request(numbers(3), { type }), FORMAT)).rejects.toMatchObject({
      status: 415,
      code: "unsupported_content_type",
      message: expect.stringMatching(
        /^Content-Type must be text\/csv or application\/x-protobuf; it is /,
      ) as string,
    });
  });
});

describe("readBody takes the size limit as an argument", () => {
  const tooLarge = {
    status: 413,
    code: "body_too_large",
    message: "The body has more than 1000 bytes after decompression. Split it over several requests.",
  };
  const format = { ...FORMAT, maxBytes: 1_000 };

  it.each([undefined, 10, 1_001, 5_000])("with the Content-Length %s", async (contentLength) => {
    const sent = contentLength === undefined ? {} : { contentLength };
    expect(await readBody(request(numbers(1_000), sent), format)).toHaveLength(1_000);
    await expect(readBody(request(numbers(1_001), sent), format)).rejects.toMatchObject(tooLarge);
  });

  it("after decompression", async () => {
    const encoding = "gzip";
    expect(await readBody(request(await gzip(numbers(1_000)), { encoding }), format)).toHaveLength(1_000);
    await expect(
      readBody(request(await gzip(new Uint8Array(1_001)), { encoding }), format),
    ).rejects.toMatchObject(tooLarge);
  });

  it("and cancels the rest of the stream", async () => {
    const cancelled = Promise.withResolvers<void>();
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(500)),
      cancel: () => cancelled.resolve(),
    });
    const { readable, writable } = new IdentityTransformStream();
    endless.pipeTo(writable).catch(() => {});
    const headers = { "Content-Type": "text/csv" };
    const post = new Request("https://metrics.example/", { method: "POST", headers, body: readable });
    await expect(readBody(post, format)).rejects.toMatchObject(tooLarge);
    await cancelled.promise;
  });
});
