"""Makes 1,000 calls and exports them by the OpenTelemetry SDK for Python. Prints what it made, as JSON.

  python sender.py '{"url", "service", "signal", "temporality", "histogram"}'
"""
import json
import sys
import time

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import (
    DefaultAggregation,
    ExponentialBucketHistogramAggregation,
    View,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

options = json.loads(sys.argv[1])
resource = Resource.create({"service.name": options["service"]})
TIMEOUT_S = 120


def tracer():
    exporter = OTLPSpanExporter(endpoint=options["url"] + "/v1/traces", timeout=TIMEOUT_S)
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(exporter, export_timeout_millis=TIMEOUT_S * 1000))
    tracer = provider.get_tracer("sender")

    def call(name, ms, is_error):
        end = time.time_ns()
        span = tracer.start_span(name, kind=SpanKind.SERVER, start_time=end - ms * 1_000_000)
        if is_error:
            span.set_status(Status(StatusCode.ERROR, "failed"))
        span.end(end)

    return call, provider


def meter():
    temporality = AggregationTemporality[options["temporality"]]
    exponential = options["histogram"] == "exponential"
    exporter = OTLPMetricExporter(
        endpoint=options["url"] + "/v1/metrics",
        timeout=TIMEOUT_S,
        preferred_temporality={Counter: temporality, Histogram: temporality},
    )
    reader = PeriodicExportingMetricReader(
        exporter, export_interval_millis=600_000, export_timeout_millis=TIMEOUT_S * 1000
    )
    aggregation = ExponentialBucketHistogramAggregation() if exponential else DefaultAggregation()
    views = [View(instrument_name="function.calls.duration", aggregation=aggregation)]
    provider = MeterProvider(resource=resource, metric_readers=[reader], views=views)
    meter = provider.get_meter("sender")
    counter = meter.create_counter("function.calls")
    durations = meter.create_histogram("function.calls.duration", unit="ms")

    def call(name, ms, is_error):
        counter.add(1, {"function": name, "result": "error" if is_error else "ok"})
        durations.record(ms, {"function": name})

    return call, provider


call, provider = tracer() if options["signal"] == "traces" else meter()
made = {}
for round_ in range(10):
    for i in range(100):
        name, ms, is_error = ["add", "pay", "search"][i % 3], [3, 8, 20, 400][i % 4], i % 10 == 0
        total = made.setdefault(name, {"calls": 0, "errors": 0, "sumMs": 0})
        total["calls"] += 1
        total["errors"] += is_error
        total["sumMs"] += ms
        call(name, ms, is_error)
    provider.force_flush(TIMEOUT_S * 1000)
provider.shutdown()
print(json.dumps(made))
