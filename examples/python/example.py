"""Calls three functions that `@metrics_collector` counts."""
import asyncio
import time

from metrics_collector import metrics_collector


@metrics_collector
def successful_function():
    time.sleep(0.1)


@metrics_collector
def error_function():
    time.sleep(0.1)
    raise ValueError("An error occurred")


@metrics_collector
async def async_function():
    await asyncio.sleep(0.1)


for _ in range(5):
    successful_function()
    asyncio.run(async_function())
for _ in range(3):
    try:
        error_function()
    except ValueError:
        pass
