/** The messages of `POST /v1/traces`, with the fields and attributes that a span's function, duration and failure need. */
import { type Attributes, type Fields, message } from "./message.ts";

const SPAN_ATTRIBUTES = new Set([
  "cloudflare.entrypoint",
  "cloudflare.handler_type",
  "cloudflare.jsrpc.method",
  "cloudflare.outcome",
  "cloudflare.queue.name",
  "code.function.name",
  "error.type",
  "faas.cron",
  "jsrpc.method",
  "pre-flight-check",
  "sampling.threshold",
]);

const resource = message({ attributes: [1, { is: "attributes", wanted: new Set(["service.name"]) }] });
const event = message({
  name: [2, "text"],
  attributes: [3, { is: "attributes", wanted: new Set(["exception.type", "exception.message"]) }],
});
const status = message({ message: [2, "text"], code: [3, "enum"] });
const span = message({
  traceState: [3, "text"],
  name: [5, "text"],
  kind: [6, "enum"],
  startTimeUnixNano: [7, "time"],
  endTimeUnixNano: [8, "time"],
  attributes: [9, { is: "attributes", wanted: SPAN_ATTRIBUTES }],
  events: [11, { is: "messages", of: event }],
  status: [15, { is: "message", of: status }],
});
const scopeSpans = message({ spans: [2, { is: "stream", of: span }] });
const resourceSpans = message(
  { resource: [1, { is: "message", of: resource }], scopeSpans: [2, { is: "stream", of: scopeSpans }] },
  ["resource"],
);
export const traces = message({ resourceSpans: [1, { is: "stream", of: resourceSpans }] });

/** A span as the readers hand it out. Fields that the sender left out are missing. */
export interface Span extends Fields {
  traceState?: string;
  name?: string;
  kind?: number;
  startTimeUnixNano?: number;
  endTimeUnixNano?: number;
  attributes?: Attributes;
  events?: { name?: string; attributes?: Attributes }[];
  status?: { message?: string; code?: number };
  parent: Fields & { parent: Fields & { resource?: { attributes?: Attributes } } };
}
