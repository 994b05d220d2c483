/**
 * Makes 1,000 calls and exports them by the OpenTelemetry SDK for JavaScript. Prints what it made, as JSON.
 *
 *   node sender.mjs '{"url", "service", "signal", "encoding", "temporality", "histogram"}'
 */
import { resourceFromAttributes } from "@opentelemetry/resources";
import { OTLPMetricExporter as JsonMetrics } from "@opentelemetry/exporter-metrics-otlp-http";
import { OTLPMetricExporter as ProtoMetrics } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter as JsonTraces } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtoTraces } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  AggregationTemporality,
  AggregationType,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

const { url, service, signal, encoding, temporality, histogram } = JSON.parse(process.argv[2]);
const resource = resourceFromAttributes({ "service.name": service });
const isJson = encoding === "json";
const made = {};
const send = signal === "traces" ? tracer() : meter();
for (let round = 0; round < 10; round++) {
  for (let i = 0; i < 100; i++) {
    const call = { name: ["add", "pay", "search"][i % 3], ms: [3, 8, 20, 400][i % 4], isError: i % 10 === 0 };
    const sum = (made[call.name] ??= { calls: 0, errors: 0, sumMs: 0 });
    sum.calls++;
    sum.errors += call.isError ? 1 : 0;
    sum.sumMs += call.ms;
    send.call(call);
  }
  await send.flush();
}
await send.shutdown();
console.log(JSON.stringify(made));

function options(path) {
  return { url: `${url}${path}`, timeoutMillis: 120_000 };
}

function tracer() {
  const exporter = isJson ? new JsonTraces(options("/v1/traces")) : new ProtoTraces(options("/v1/traces"));
  const processor = new BatchSpanProcessor(exporter, { exportTimeoutMillis: 120_000 });
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  const tracer = provider.getTracer("sender");
  return {
    call({ name, ms, isError }) {
      const end = Date.now();
      const span = tracer.startSpan(name, { kind: 1, startTime: end - ms });
      if (isError) span.setStatus({ code: 2, message: "failed" });
      span.end(end);
    },
    flush: () => provider.forceFlush(),
    shutdown: () => provider.shutdown(),
  };
}

function meter() {
  const of = { ...options("/v1/metrics"), temporalityPreference: AggregationTemporality[temporality] };
  const reader = new PeriodicExportingMetricReader({
    exporter: isJson ? new JsonMetrics(of) : new ProtoMetrics(of),
    exportIntervalMillis: 600_000,
    exportTimeoutMillis: 120_000,
  });
  const type = AggregationType[histogram === "exponential" ? "EXPONENTIAL_HISTOGRAM" : "DEFAULT"];
  const views = [{ instrumentName: "function.calls.duration", aggregation: { type } }];
  const provider = new MeterProvider({ resource, readers: [reader], views });
  const meter = provider.getMeter("sender");
  const counter = meter.createCounter("function.calls");
  const durations = meter.createHistogram("function.calls.duration", { unit: "ms" });
  return {
    call({ name, ms, isError }) {
      counter.add(1, { function: name, result: isError ? "error" : "ok" });
      durations.record(ms, { function: name });
    },
    flush: () => provider.forceFlush(),
    shutdown: () => provider.shutdown(),
  };
}
