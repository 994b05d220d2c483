/** The messages of `POST /v1/metrics`. */
import { type Attributes, type Fields, message } from "./message.ts";

const all = { is: "attributes", wanted: null } as const;
const resource = message({ attributes: [1, all] });
const scope = message({ name: [1, "text"], version: [2, "text"], attributes: [3, all] });
const numberPoint = message({
  startTimeUnixNano: [2, "time"],
  timeUnixNano: [3, "time"],
  asDouble: [4, "double"],
  asInt: [6, "sfixed64"],
  attributes: [7, all],
  flags: [8, "int"],
});
const histogramPoint = message({
  startTimeUnixNano: [2, "time"],
  timeUnixNano: [3, "time"],
  count: [4, "fixed64"],
  sum: [5, "double"],
  bucketCounts: [6, { is: "numbers", of: "fixed64" }],
  explicitBounds: [7, { is: "numbers", of: "double" }],
  attributes: [9, all],
  flags: [10, "int"],
  min: [11, "double"],
  max: [12, "double"],
});
const exponentialBuckets = message({
  offset: [1, "sint"],
  bucketCounts: [2, { is: "numbers", of: "uint64" }],
});
const exponentialPoint = message({
  attributes: [1, all],
  startTimeUnixNano: [2, "time"],
  timeUnixNano: [3, "time"],
  count: [4, "fixed64"],
  sum: [5, "double"],
  scale: [6, "sint"],
  zeroCount: [7, "fixed64"],
  positive: [8, { is: "message", of: exponentialBuckets }],
  negative: [9, { is: "message", of: exponentialBuckets }],
  flags: [10, "int"],
  min: [12, "double"],
  max: [13, "double"],
});
/** Points that are not counted: only their number matters. */
const anyPoint = message({});
const kindOfPoints = (point: typeof anyPoint) =>
  message(
    {
      dataPoints: [1, { is: "stream", of: point }],
      aggregationTemporality: [2, "enum"],
      isMonotonic: [3, "bool"],
    },
    ["aggregationTemporality", "isMonotonic"],
  );
const metric = message(
  {
    name: [1, "text"],
    unit: [3, "text"],
    gauge: [5, { is: "stream", of: kindOfPoints(anyPoint) }],
    sum: [7, { is: "stream", of: kindOfPoints(numberPoint) }],
    histogram: [9, { is: "stream", of: kindOfPoints(histogramPoint) }],
    exponentialHistogram: [10, { is: "stream", of: kindOfPoints(exponentialPoint) }],
    summary: [11, { is: "stream", of: kindOfPoints(anyPoint) }],
  },
  ["name", "unit"],
);
const scopeMetrics = message(
  { scope: [1, { is: "message", of: scope }], metrics: [2, { is: "stream", of: metric }] },
  ["scope"],
);
const resourceMetrics = message(
  { resource: [1, { is: "message", of: resource }], scopeMetrics: [2, { is: "stream", of: scopeMetrics }] },
  ["resource"],
);
export const metrics = message({ resourceMetrics: [1, { is: "stream", of: resourceMetrics }] });

export interface ResourceMetrics extends Fields {
  resource?: { attributes?: Attributes };
}

export interface ScopeMetrics extends Fields {
  scope?: { name?: string; version?: string; attributes?: Attributes };
  parent: ResourceMetrics;
}

export interface Metric extends Fields {
  name?: string;
  unit?: string;
  parent: ScopeMetrics;
}

interface Points extends Fields {
  aggregationTemporality?: number;
  isMonotonic?: boolean;
  parent: Metric;
}

/** A point of any kind. Fields that the sender left out are missing. */
export interface Point extends Fields {
  startTimeUnixNano?: number;
  timeUnixNano?: number;
  attributes?: Attributes;
  flags?: number;
  asInt?: number;
  asDouble?: number;
  count?: number;
  sum?: number;
  min?: number;
  max?: number;
  bucketCounts?: number[];
  explicitBounds?: number[];
  scale?: number;
  zeroCount?: number;
  positive?: { offset?: number; bucketCounts?: number[] };
  negative?: { offset?: number; bucketCounts?: number[] };
  parent: Points;
}
