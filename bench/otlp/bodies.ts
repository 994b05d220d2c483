/** Makes OTLP requests as SDKs send them: spans of a server, and delta metrics. */
import { Random } from "../../scripts/random.ts";
import {
  concatenated,
  messageField,
  numberField,
  textField,
} from "../../src/ingest/otlp/wire/write-protobuf.ts";

const FUNCTIONS = 20;

interface Span {
  id: number;
  name: string;
  /** Nanoseconds since 1970. */
  start: bigint;
  end: bigint;
  isError: boolean;
}

function spansOf(random: Random, number: number): Span[] {
  const now = BigInt(Date.now()) * 1_000_000n;
  return Array.from({ length: number }, () => {
    const end = now - BigInt(random.below(30_000)) * 1_000_000n;
    const start = end - BigInt(1 + random.below(8_000)) * 125_000n;
    const name = `GET /function/${random.below(FUNCTIONS)}/:id`;
    return { id: random.below(2 ** 31), name, start, end, isError: random.chance(0.02) };
  });
}

const ATTRIBUTES = {
  "http.request.method": "GET",
  "http.route": "/function/:id",
  "url.path": "/function/7",
};

export function tracesJson(random: Random, number: number): Buffer {
  const attributes = Object.entries(ATTRIBUTES).map(([key, value]) => ({
    key,
    value: { stringValue: value },
  }));
  const spans = spansOf(random, number).map(({ id, name, start, end, isError }) => ({
    traceId: hex(id, 32),
    spanId: hex(id, 16),
    name,
    kind: 2,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(end),
    attributes: [...attributes, { key: "http.response.status_code", value: { intValue: 200 } }],
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    status: { code: isError ? 2 : 0 },
    links: [],
    droppedLinksCount: 0,
    flags: 257,
  }));
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "bench" } }] };
  return Buffer.from(
    JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "bench" }, spans }] }] }),
  );
}

export function tracesProtobuf(random: Random, number: number): Buffer {
  const attribute = (key: string, value: string) =>
    messageField(9, concatenated([textField(1, key), messageField(2, textField(1, value))]));
  const attributes = concatenated(Object.entries(ATTRIBUTES).map(([key, value]) => attribute(key, value)));
  const spans = spansOf(random, number).map(({ id, name, start, end, isError }) =>
    messageField(
      2,
      concatenated([
        messageField(1, Buffer.from(hex(id, 32), "hex")),
        messageField(2, Buffer.from(hex(id, 16), "hex")),
        textField(5, name),
        numberField(6, 2),
        fixed64(7, start),
        fixed64(8, end),
        attributes,
        messageField(15, numberField(3, isError ? 2 : 0)),
      ]),
    ),
  );
  const resource = messageField(
    1,
    messageField(1, concatenated([textField(1, "service.name"), messageField(2, textField(1, "bench"))])),
  );
  return Buffer.from(messageField(1, concatenated([resource, messageField(2, concatenated(spans))])));
}

/** Delta histograms of that many functions. */
export function metricsJson(random: Random, series: number): Buffer {
  const time = `${Date.now()}000000`;
  const dataPoints = Array.from({ length: series }, (_, i) => ({
    attributes: [
      { key: "http.request.method", value: { stringValue: "GET" } },
      { key: "http.route", value: { stringValue: `/function/${i}` } },
    ],
    startTimeUnixNano: time,
    timeUnixNano: time,
    count: 40,
    sum: 1 + random.next(),
    bucketCounts: [0, 5, 5, 10, 10, 5, 5, 0],
    explicitBounds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5],
  }));
  const histogram = { aggregationTemporality: 1, dataPoints };
  const metrics = [{ name: "http.server.request.duration", unit: "s", histogram }];
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "bench" } }] };
  return Buffer.from(JSON.stringify({ resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] }));
}

function hex(id: number, digits: number): string {
  return id.toString(16).padStart(digits, "0");
}

function fixed64(number: number, value: bigint): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(9));
  bytes.setUint8(0, (number << 3) | 1);
  bytes.setBigUint64(1, value, true);
  return new Uint8Array(bytes.buffer);
}
