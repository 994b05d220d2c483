// Makes 1,000 calls and exports them by the OpenTelemetry SDK for Go. Prints what it made, as JSON.
//
//	sender '{"url", "service", "signal", "temporality", "histogram"}'
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

type call struct {
	name    string
	ms      int
	isError bool
}

type total struct {
	Calls  int `json:"calls"`
	Errors int `json:"errors"`
	SumMs  int `json:"sumMs"`
}

var options struct{ URL, Service, Signal, Temporality, Histogram string }

const timeout = 120 * time.Second

func main() {
	must(json.Unmarshal([]byte(os.Args[1]), &options))
	ctx := context.Background()
	send, flush, shutdown := tracer(ctx)
	if options.Signal == "metrics" {
		send, flush, shutdown = meter(ctx)
	}
	made := map[string]*total{}
	for round := 0; round < 10; round++ {
		for i := 0; i < 100; i++ {
			one := call{[]string{"add", "pay", "search"}[i%3], []int{3, 8, 20, 400}[i%4], i%10 == 0}
			sum := made[one.name]
			if sum == nil {
				sum = &total{}
				made[one.name] = sum
			}
			sum.Calls++
			sum.SumMs += one.ms
			if one.isError {
				sum.Errors++
			}
			send(one)
		}
		must(flush(ctx))
	}
	must(shutdown(ctx))
	text, err := json.Marshal(made)
	must(err)
	fmt.Println(string(text))
}

func tracer(ctx context.Context) (func(call), func(context.Context) error, func(context.Context) error) {
	exporter, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(options.URL+"/v1/traces"),
		otlptracehttp.WithTimeout(timeout),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: 100 * time.Millisecond, MaxInterval: time.Second, MaxElapsedTime: timeout}))
	must(err)
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithResource(named()),
		sdktrace.WithBatcher(exporter, sdktrace.WithExportTimeout(timeout)))
	tracer := provider.Tracer("sender")
	send := func(one call) {
		end := time.Now()
		start := end.Add(-time.Duration(one.ms) * time.Millisecond)
		_, span := tracer.Start(ctx, one.name, trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(start))
		if one.isError {
			span.SetStatus(codes.Error, "failed")
		}
		span.End(trace.WithTimestamp(end))
	}
	return send, provider.ForceFlush, provider.Shutdown
}

func meter(ctx context.Context) (func(call), func(context.Context) error, func(context.Context) error) {
	temporality := metricdata.CumulativeTemporality
	if options.Temporality == "DELTA" {
		temporality = metricdata.DeltaTemporality
	}
	exporter, err := otlpmetrichttp.New(ctx,
		otlpmetrichttp.WithEndpointURL(options.URL+"/v1/metrics"),
		otlpmetrichttp.WithTimeout(timeout),
		otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{Enabled: true, InitialInterval: 100 * time.Millisecond, MaxInterval: time.Second, MaxElapsedTime: timeout}),
		otlpmetrichttp.WithTemporalitySelector(func(sdkmetric.InstrumentKind) metricdata.Temporality { return temporality }))
	must(err)
	settings := []sdkmetric.Option{
		sdkmetric.WithResource(named()),
		sdkmetric.WithReader(sdkmetric.NewPeriodicReader(exporter, sdkmetric.WithInterval(time.Hour), sdkmetric.WithTimeout(timeout))),
	}
	if options.Histogram == "exponential" {
		settings = append(settings, sdkmetric.WithView(sdkmetric.NewView(
			sdkmetric.Instrument{Name: "function.calls.duration"},
			sdkmetric.Stream{Aggregation: sdkmetric.AggregationBase2ExponentialHistogram{MaxSize: 160, MaxScale: 20}})))
	}
	provider := sdkmetric.NewMeterProvider(settings...)
	meter := provider.Meter("sender")
	counter, err := meter.Int64Counter("function.calls")
	must(err)
	durations, err := meter.Float64Histogram("function.calls.duration", metric.WithUnit("ms"))
	must(err)
	send := func(one call) {
		result := "ok"
		if one.isError {
			result = "error"
		}
		function := attribute.String("function", one.name)
		counter.Add(ctx, 1, metric.WithAttributes(function, attribute.String("result", result)))
		durations.Record(ctx, float64(one.ms), metric.WithAttributes(function))
	}
	return send, provider.ForceFlush, provider.Shutdown
}

func named() *resource.Resource {
	return resource.NewSchemaless(attribute.String("service.name", options.Service))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
