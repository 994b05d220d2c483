/** Makes OTLP metrics in JSON. */

export interface PointOptions {
  service?: string;
  /** Attributes of the resource besides `service.name`. */
  resource?: Record<string, string>;
  temporality?: number;
  /** Epoch milliseconds. */
  start?: number;
  time?: number;
}

export function attributes(all: Record<string, string>): object[] {
  return Object.entries(all).map(([key, value]) => ({ key, value: { stringValue: value } }));
}

/** The field of a metric that holds its points. */
export function points(
  kind: "sum" | "histogram" | "exponentialHistogram",
  values: readonly object[],
  { temporality = 2, start = Date.now() - 60_000, time = Date.now() }: PointOptions = {},
): object {
  const of = { startTimeUnixNano: `${start}000000`, timeUnixNano: `${time}000000` };
  return {
    [kind]: {
      aggregationTemporality: temporality,
      isMonotonic: true,
      dataPoints: values.map((value) => ({ ...of, ...value })),
    },
  };
}

export function resourceMetrics(
  metrics: readonly object[],
  { service = "shop", resource = {} }: PointOptions = {},
) {
  return {
    resource: { attributes: attributes({ "service.name": service, ...resource }) },
    scopeMetrics: [{ scope: { name: "test" }, metrics }],
  };
}

export function metricsJson(metrics: readonly object[], options: PointOptions = {}): string {
  return JSON.stringify({ resourceMetrics: [resourceMetrics(metrics, options)] });
}

/** `function.calls` of one function. */
export function calls(name: string, ok: number, failed: number, options: PointOptions = {}): object {
  const value = (result: string, asInt: number) => ({
    asInt,
    attributes: attributes({ function: name, module: "app", result }),
  });
  return { name: "function.calls", ...points("sum", [value("ok", ok), value("error", failed)], options) };
}
