/** The names of enum values. OTLP allows only numbers in JSON. Some senders write the names that protobuf's own JSON has. */

const NUMBERS: ReadonlyMap<string, number> = new Map([
  ["SPAN_KIND_INTERNAL", 1],
  ["SPAN_KIND_SERVER", 2],
  ["SPAN_KIND_CLIENT", 3],
  ["SPAN_KIND_PRODUCER", 4],
  ["SPAN_KIND_CONSUMER", 5],
  ["STATUS_CODE_OK", 1],
  ["STATUS_CODE_ERROR", 2],
  ["AGGREGATION_TEMPORALITY_DELTA", 1],
  ["AGGREGATION_TEMPORALITY_CUMULATIVE", 2],
]);

/** 0, which means unspecified, for any other name. */
export function enumNumber(name: string): number {
  return NUMBERS.get(name) ?? 0;
}
