/** Makes OTLP traces in JSON. */

export type SpanJson = Record<string, unknown>;

/** A span of a server that took 5 ms. */
export function span(name: string, agoMs = 0, more: SpanJson = {}): SpanJson {
  const end = Date.now() - agoMs;
  return {
    traceId: "0".repeat(31) + "1",
    spanId: "0".repeat(15) + "1",
    name,
    kind: 2,
    startTimeUnixNano: `${end - 5}000000`,
    endTimeUnixNano: `${end}000000`,
    ...more,
  };
}

export function resourceSpans(service: string, spans: readonly SpanJson[]): object {
  return {
    resource: { attributes: [{ key: "service.name", value: { stringValue: service } }] },
    scopeSpans: [{ spans }],
  };
}

export function tracesJson(service: string, spans: readonly SpanJson[]): string {
  return JSON.stringify({ resourceSpans: [resourceSpans(service, spans)] });
}
