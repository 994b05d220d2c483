/** The reader of OTLP's JSON: what it accepts, what it skips and what it refuses. */
import { describe, expect, it } from "vitest";
import { type Fields, message } from "../../../src/ingest/otlp/wire/message.ts";
import { readJson } from "../../../src/ingest/otlp/wire/read-json.ts";

const item = message({
  name: [1, "text"],
  time: [2, "time"],
  count: [3, "fixed64"],
  on: [4, "bool"],
  list: [5, { is: "numbers", of: "double" }],
  attributes: [6, { is: "attributes", wanted: null }],
});
const items = message({ name: [1, "text"], items: [2, { is: "stream", of: item }] }, ["name"]);

function read(json: string): Fields[] {
  const found: Fields[] = [];
  readJson(json, items, (fields) => void found.push(fields));
  return found;
}

/** The only item of a request. */
function one(json: string): Record<string, unknown> {
  const [{ parent: _, as: __, ...fields }] = read(`{"name":"n","items":[${json}]}`) as [Fields];
  return fields;
}

describe("a value", () => {
  it.each([
    ["time", '"1795449600010500000"', 1_795_449_600_010.5],
    ["time", "1795449600010000000", 1_795_449_600_010],
    ["time", "1.7954496e18", 1_795_449_600_000],
    ["time", '"5"', 5e-6],
    ["count", '"12"', 12],
    ["count", "12", 12],
    ["count", '"many"', Number.NaN],
    ["on", "true", true],
    ["name", '"a\\u0062\\n\\"\\\\"', 'ab\n"\\'],
    ["list", '[1,"2", "Infinity"]', [1, 2, Infinity]],
  ])("%s may be %s", (name, json, value) => expect(one(`{"${name}":${json}}`)).toEqual({ [name]: value }));

  it("of an attribute may be anything, and the last one of a key counts", () => {
    const json = `{"attributes":[
      {"key":"a","value":{"stringValue":"x"}}, {"value":{"intValue":"7"},"key":"b"}, {"key":"c","value":{}},
      {"key":"d","value":{"arrayValue":{"values":[{"intValue":1}]}}}, {"key":"a","value":{"boolValue":false}},
      {"key":"e","value":null}, null ]}`;
    const all = new Map<string, unknown>(
      Object.entries({ a: false, b: 7, d: '{"values":[{"intValue":1}]}' }),
    );
    expect(one(json)).toEqual({ attributes: all });
  });

  it("that is null counts as left out", () => expect(one('{"name":null,"attributes":null}')).toEqual({}));

  it("that is unknown is skipped, whatever it is", () => {
    const unknown = String.raw`{"\u0061":[1,-2.5e-3,{"b":"}\\\"]"},[],{},true,null]}`;
    expect(one(`{"x":${unknown},"__proto__":${unknown},"count":1}`)).toEqual({ count: 1 });
  });
});

describe("a stream", () => {
  it("may come before what it needs", () => {
    const found = read('{"items":[{"count":1},{"count":2}],"name":"late"}');
    expect(found.map(({ count, parent }) => [count, parent?.["name"]])).toEqual([
      [1, "late"],
      [2, "late"],
    ]);
  });

  it("may come twice, and needs nothing that never comes", () => {
    expect(read('{"items":[{"count":1}],"items":[null,{"count":2}]}')).toHaveLength(2);
  });
});

describe("text that is not JSON", () => {
  it.each([
    "",
    "{",
    "[]",
    "{} x",
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{"a":[1,]}',
    '{"a":[1}',
    '{"a":01}',
    '{"a":+1}',
    '{"a":tru}',
    '{"a":"',
    String.raw`{"name":"\x"}`,
    '{"name":5}',
    '{"items":"x"}',
    `{"a":${"[".repeat(100)}${"]".repeat(100)}}`,
  ])("is refused: %s", (json) => expect(() => read(json)).toThrow(/^(the body ends|there is|it is nested)/));
});
