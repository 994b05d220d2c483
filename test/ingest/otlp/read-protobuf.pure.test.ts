/** The reader of protobuf: fields of any order and form, and what it refuses. */
import { describe, expect, it } from "vitest";
import { type Fields, message } from "../../../src/ingest/otlp/wire/message.ts";
import { readProtobuf } from "../../../src/ingest/otlp/wire/read-protobuf.ts";
import {
  concatenated,
  messageField,
  numberField,
  textField,
} from "../../../src/ingest/otlp/wire/write-protobuf.ts";

const item = message({
  name: [1, "text"],
  time: [2, "time"],
  whole: [3, "sfixed64"],
  offset: [4, "sint"],
  list: [5, { is: "numbers", of: "uint64" }],
  attributes: [6, { is: "attributes", wanted: new Set(["a"]) }],
  ratio: [7, "double"],
});
const items = message({ name: [1, "text"], items: [2, { is: "stream", of: item }] }, ["name"]);

function read(...parts: Uint8Array[]): Fields[] {
  const found: Fields[] = [];
  readProtobuf(concatenated(parts), items, (fields) => void found.push(fields));
  return found;
}

function one(...parts: Uint8Array[]): Record<string, unknown> {
  const [{ parent: _, as: __, ...fields }] = read(messageField(2, concatenated(parts))) as [Fields];
  return fields;
}

function fixed64(number: number, value: bigint): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(9));
  bytes.setUint8(0, (number << 3) | 1);
  bytes.setBigInt64(1, value, true);
  return new Uint8Array(bytes.buffer);
}

describe("a field", () => {
  it("is read by its kind", () => {
    const ratio = new DataView(new ArrayBuffer(9));
    ratio.setUint8(0, (7 << 3) | 1);
    ratio.setFloat64(1, -0.5, true);
    const read = one(
      textField(1, "日本"),
      fixed64(2, 1_795_449_600_010_000_500n),
      fixed64(3, -7n),
      numberField(4, 3),
      new Uint8Array(ratio.buffer),
    );
    expect(read).toEqual({ name: "日本", time: 1_795_449_600_010.0005, whole: -7, offset: -2, ratio: -0.5 });
  });

  it("of a list comes packed or one by one", () => {
    const packed = messageField(5, Uint8Array.from([1, 0xac, 0x02]));
    expect(one(packed, numberField(5, 2 ** 40))).toEqual({ list: [1, 300, 2 ** 40] });
  });

  it("that is unknown, or of another wire type, is skipped", () => {
    expect(one(numberField(99, 5), numberField(1, 5), Uint8Array.from([0x5d, 1, 2, 3, 4]))).toEqual({});
  });

  it("of attributes is kept if it is wanted", () => {
    const attribute = (key: string, value: string) =>
      messageField(6, concatenated([textField(1, key), messageField(2, textField(1, value))]));
    expect(one(attribute("a", "1"), attribute("b", "2"), attribute("a", "3"))).toEqual({
      attributes: new Map([["a", "3"]]),
    });
  });
});

describe("a stream", () => {
  const numbered = (n: number) => messageField(2, numberField(4, 2 * n));

  it("is read once, whether it comes before or after what it needs", () => {
    const found = read(numbered(1), numbered(2), textField(1, "n"), numbered(3));
    expect(found.map(({ offset }) => offset).toSorted((a, b) => Number(a) - Number(b))).toEqual([1, 2, 3]);
    expect(found.map(({ parent }) => parent?.["name"])).toEqual(["n", "n", "n"]);
  });

  it("is read if what it needs never comes", () => {
    expect(read(numbered(1), numbered(2)).map(({ offset }) => offset)).toEqual([1, 2]);
  });
});

describe("bytes that are not protobuf", () => {
  it.each([
    ["a length beyond the end", [0x12, 0x05, 0x00]],
    ["a nested length beyond its message", [0x12, 0x02, 0x0a, 0x05, 0x61, 0x61]],
    ["a number that is cut off", [0x18, 0x80]],
    ["a number of eleven bytes", [0x18, ...Array<number>(11).fill(0x80), 0]],
    ["a group", [0x1b, 0x1c]],
    ["field number 0", [0x02, 0x00]],
    ["a fixed number that is cut off", [0x12, 0x03, 0x11, 1, 2]],
  ])("are refused: %s", (_, bytes) =>
    expect(() => read(Uint8Array.from(bytes))).toThrow(/at byte \d+|more than ten bytes/),
  );
});
