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

async function joined(parts: Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

/** One gzip member whose content is stored as it is: one block of type 0. */
function storedGzip(content: Uint8Array): Uint8Array {
  const { length } = content;
  const bytes = new Uint8Array(10 + 5 + length + 8);
  bytes.set([
    0x1f,
    0x8b,
    8,
    0,
    0,
    0,
    0,
    0,
    0,
    255,
    1,
    length & 255,
    length >> 8,
    ~length & 255,
    (~length >> 8) & 255,
  ]);
  bytes.set(content, 15);
  const trailer = new DataView(bytes.buffer, 15 + length);
  trailer.setUint32(0, crc32(content), true);
  trailer.setUint32(4, length, true);
  return bytes;
}

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function manyBeginnings(zipped: Uint8Array): Uint8Array {
  const beginning = [0, 0, 0, 0, 0, 0, 0, 0, 0x1f, 0x8b, 8];
  return Uint8Array.of(...zipped, ...Array.from({ length: 5_000 }, () => beginning).flat());
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

  it("decompressed, if they are several gzip members or x-gzip", async () => {
    const parts = [numbers(70_000), new Uint8Array(0), numbers(3), numbers(60_000, 7)];
    const whole = await joined(parts);
    const zipped = await joined(await Promise.all(parts.map(gzip)));
    expect(await readBody(request(zipped, { encoding: "x-gzip" }), FORMAT)).toEqual(whole);
  });

  it("decompressed, if the compressed bytes look like several members and are one", async () => {
    // Stored and not compressed, so that the beginnings of members inside stay what they are.
    const inside = await joined([new Uint8Array(8), await gzip(numbers(9)), await gzip(numbers(9))]);
    const stored = storedGzip(inside);
    expect(await readBody(request(stored, { encoding: "gzip" }), FORMAT)).toEqual(inside);
    const twice = await joined([stored, stored]);
    expect(await readBody(request(twice, { encoding: "gzip" }), FORMAT)).toEqual(
      await joined([inside, inside]),
    );
  });

  it.each([
    ["cut in the data", (zipped: Uint8Array) => zipped.slice(0, -20)],
    ["cut in the last byte", (zipped: Uint8Array) => zipped.slice(0, -1)],
    ["cut in the header", (zipped: Uint8Array) => zipped.slice(0, 5)],
    ["damaged", (zipped: Uint8Array) => zipped.map((byte, i) => (i === zipped.length - 6 ? byte ^ 1 : byte))],
    ["followed by other bytes", (zipped: Uint8Array) => Uint8Array.of(...zipped, 1, 2, 3)],
    ["followed by half a member", (zipped: Uint8Array) => Uint8Array.of(...zipped, ...zipped.slice(0, 12))],
    ["followed by the beginnings of many members", (zipped: Uint8Array) => manyBeginnings(zipped)],
    ["not gzip", () => numbers(100)],
    ["empty", () => new Uint8Array(0)],
  ])("but not if the gzip is %s: the reason is in plain words", async (_, damage) => {
    const body = damage(await gzip(numbers(5_000)));
    await expect(readBody(request(body, { encoding: "gzip" }), FORMAT)).rejects.toMatchObject({
      status: 400,
      code: "unreadable_body",
      message: expect.stringMatching(
        /^The body cannot be decompressed as gzip: it is cut off, damaged/,
      ) as string,
    });
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
  it.each([
    "text/csv",
    "TEXT/CSV; charset=utf-8",
    'text/csv; header=present; Charset="UTF8"',
    "text/csv;charset=us-ascii",
    "application/x-protobuf",
    "",
  ])("accepts %j", async (type) => {
    expect(await readBody(request(numbers(3), { type }), FORMAT)).toEqual(numbers(3));
  });

  it.each(["latin1", "iso-8859-1", '"windows-1252"', "utf-16"])("rejects the charset %s", async (charset) => {
    const post = request(numbers(3), { type: `text/csv; charset=${charset}` });
    await expect(readBody(post, FORMAT)).rejects.toMatchObject({
      status: 415,
      code: "unsupported_charset",
      message: `The charset in Content-Type must be utf-8; it is "${charset.replaceAll('"', "")}".`,
    });
  });

  it.each(["application/json", "text/csvx"])("rejects %j", async (type) => {
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
