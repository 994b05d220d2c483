"""`@metrics_collector` counts the calls, the errors and the durations of a function, by OpenTelemetry.

It returns and raises what the function does, and times an async function until it is done. README.md beside it says how to run.
"""
import functools
import inspect
import time

from opentelemetry import metrics

_meter = metrics.get_meter("metrics_collector")
_calls = _meter.create_counter("function.calls")
_durations = _meter.create_histogram("function.calls.duration", unit="s")


def metrics_collector(function):
    names = {"function": function.__qualname__, "module": function.__module__}

    def count(start, result):
        _calls.add(1, {**names, "result": result})
        _durations.record(time.perf_counter() - start, names)

    @functools.wraps(function)
    def measured(*args, **kwargs):
        start = time.perf_counter()
        try:
            returned = function(*args, **kwargs)
        except BaseException:
            count(start, "error")
            raise
        count(start, "ok")
        return returned

    @functools.wraps(function)
    async def measured_async(*args, **kwargs):
        start = time.perf_counter()
        try:
            returned = await function(*args, **kwargs)
        except BaseException:
            count(start, "error")
            raise
        count(start, "ok")
        return returned

    return measured_async if inspect.iscoroutinefunction(function) else measured
