import { describe, expect, it } from "vitest";
import { decodeFlush, type EncodableFlush, encodeFlush, FLUSH_VERSION } from "../src/flush.ts";
import { toHistogram } from "../src/stats/histogram.ts";
import { delta } from "./flushes.ts";

const one = delta(90_000, { calls: 3, errors: 1 });
const stored = (values: Partial<EncodableFlush> = {}): EncodableFlush => ({
  version: FLUSH_VERSION,
  buffer: 'a "quoted" name',
  epoch: "e",
  n: 7,
  deltas: JSON.stringify([one]),
  ...values,
});
const flush = { buffer: 'a "quoted" name', epoch: "e", n: 7, deltas: [one] };

const changed = (change: Record<string, unknown>): string =>
  JSON.stringify({ ...(JSON.parse(encodeFlush(stored())) as object), ...change });

describe("a flush message", () => {
  it("is decoded to the flush that was encoded", () => {
    expect(decodeFlush(encodeFlush(stored()))).toEqual({ status: "flush", flush });
  });

  it("names its version", () => {
    expect(encodeFlush(stored())).toMatch(/^\{"version":1,/);
  });

  it("of the previous version, without a version field, is still read", () => {
    const message = encodeFlush(stored({ version: 0 }));
    expect(message).toBe(
      `{"buffer":"a \\"quoted\\" name","epoch":"e","n":7,"deltas":[${JSON.stringify(one)}]}`,
    );
    expect(decodeFlush(message)).toEqual({ status: "flush", flush });
  });

  it("of the previous version may hold deltas in the older form", () => {
    const { buckets, ...others } = one;
    const deltas = JSON.stringify([{ ...others, histogram: toHistogram(buckets) }]);
    expect(decodeFlush(encodeFlush(stored({ version: 0, deltas })))).toEqual({ status: "flush", flush });
  });

  it("may have unknown fields", () => {
    expect(decodeFlush(changed({ later: { any: "thing" } }))).toEqual({ status: "flush", flush });
  });

  it.each([FLUSH_VERSION + 1, 99, -1, 0.5, "1", null, {}])(
    "of the unknown version %j is unreadable, and the result has its id and the reason",
    (version) => {
      const decoded = decodeFlush(changed({ version, deltas: "in a form of its own" }));
      expect(decoded).toEqual({
        status: "unreadable",
        id: { buffer: 'a "quoted" name', epoch: "e", n: 7 },
        reason: expect.stringContaining(`has version ${JSON.stringify(version)}`) as string,
      });
    },
  );

  it("keeps the version with which the flush was sealed, even if this code does not know it", () => {
    const decoded = decodeFlush(encodeFlush(stored({ version: 99 })));
    expect(decoded).toMatchObject({ status: "unreadable", id: { n: 7 } });
  });

  it.each([undefined, null, "none", {}])("without a list of deltas is unreadable: %j", (deltas) => {
    expect(decodeFlush(changed({ deltas }))).toMatchObject({ status: "unreadable", id: { n: 7 } });
  });

  it.each([
    "rubbish",
    "null",
    "[]",
    '"text"',
    7,
    null,
    { ...flush },
    changed({ buffer: 1 }),
    changed({ epoch: undefined }),
    changed({ n: "7" }),
    changed({ n: 1.5 }),
  ])("without an id is not a flush: %j", (body) => {
    expect(decodeFlush(body)).toEqual({ status: "not_a_flush" });
  });
});
