/** The metrics that count calls: their names, and which attributes name the function, the module and the error. */

export interface CountedMetric {
  /** Metrics of one family describe the same calls: a counter, and a histogram of their durations. */
  family: string;
  adds: "calls" | "durations";
  /** Attributes whose values, with a space between, name the function. The first must be there. */
  function: readonly string[];
  /** Whether the resource may name the function if the point does not. */
  orResource?: boolean;
  module?: string;
  /** "always", or the attribute that tells an error: by this ending of its value, or just by being there. */
  error: "always" | { attribute: string; ending?: string };
  /** The attribute that tells the kind of the span. Points of kinds that do not count are left out. */
  spanKind?: string;
  /** The unit of durations if the metric names none. */
  defaultUnit?: string;
  /** Counts only if spans of clients count. */
  isOfClient?: boolean;
}

const byErrorType = { attribute: "error.type" };

/** https://github.com/autometrics-dev/autometrics-shared/blob/main/SPEC.md */
const autometrics = {
  family: "function",
  function: ["function"],
  module: "module",
  error: { attribute: "result", ending: "error" },
} as const;

/** https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/connector/spanmetricsconnector */
const spanMetrics = {
  family: "span",
  function: ["span.name"],
  error: { attribute: "status.code", ending: "ERROR" },
  spanKind: "span.kind",
} as const;

/** https://opentelemetry.io/docs/specs/semconv/rpc/rpc-metrics/ */
const rpc = {
  family: "rpc",
  adds: "durations",
  function: ["rpc.method"],
  module: "rpc.service",
  error: byErrorType,
} as const;

/** https://opentelemetry.io/docs/specs/semconv/faas/faas-metrics/ */
const faas = { family: "faas", function: ["faas.name"], orResource: true } as const;

export const CATALOGUE: ReadonlyMap<string, CountedMetric> = new Map<string, CountedMetric>([
  ["function.calls", { ...autometrics, adds: "calls" }],
  ["function.calls.count", { ...autometrics, adds: "calls" }],
  ["function.calls.duration", { ...autometrics, adds: "durations", defaultUnit: "s" }],
  ["traces.span.metrics.calls", { ...spanMetrics, adds: "calls" }],
  ["traces.span.metrics.duration", { ...spanMetrics, adds: "durations" }],
  [
    "http.server.request.duration",
    {
      family: "http",
      adds: "durations",
      function: ["http.request.method", "http.route"],
      error: byErrorType,
    },
  ],
  ["rpc.server.call.duration", rpc],
  ["rpc.server.duration", rpc],
  [
    "db.client.operation.duration",
    {
      family: "db",
      adds: "durations",
      function: ["db.operation.name", "db.collection.name"],
      module: "db.system.name",
      error: byErrorType,
      isOfClient: true,
    },
  ],
  ["faas.invoke_duration", { ...faas, adds: "durations", error: byErrorType }],
  // It counts the invocations that succeeded.
  ["faas.invocations", { ...faas, adds: "calls", error: byErrorType }],
  ["faas.errors", { ...faas, adds: "calls", error: "always" }],
]);

/** Milliseconds in one of each unit of duration that is read. */
export const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ["s", 1000],
  ["ms", 1],
]);
