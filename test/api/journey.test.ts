import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { envWith, unreachableBuffers } from "../faults.ts";
import {
  acknowledged,
  buffer,
  carryToD1,
  deliver,
  get,
  letTimePass,
  ringAlarm,
  sentMessages,
} from "../worker.ts";

const HOUR = 3_600_000;

it("gives the same answers at every step from the buffer to D1", async () => {
  const now = Math.floor(Date.now() / HOUR) * HOUR;
  const call = (name: string, hoursAgo: number, durationMs: number) => ({
    function: name,
    durationMs,
    at: now - hoursAgo * HOUR,
    ...(durationMs > 50 ? { error: { name: "Timeout", message: `after ${durationMs}` } } : {}),
  });
  await acknowledged([call("a", 30, 5), call("a", 2, 70), call("b", 2, 1)]);
  await carryToD1();
  await acknowledged([
    call("a", 20, 9),
    call("a", 2, 70),
    call("a", 1, 80),
    call("c", 3, 90),
    call("c", 3, 0),
  ]);

  const range = `from=${now - 24 * HOUR}&to=${now}`;
  const paths = [
    "/metrics",
    `/metrics?${range}&points=24`,
    "/metrics?format=openmetrics",
    `/metrics/shop/a?${range}&step=1h`,
    `/metrics/shop/c?${range}`,
    `/metrics/shop/a/histogram`,
    `/metrics/shop/a/histogram?${range}`,
    "/services",
    "/search?q=after",
    "/search?q=c",
  ];
  const answers = async () => {
    const all: Record<string, string> = {};
    for (const path of paths) {
      const response = await get(path);
      expect([path, response.status]).toEqual([path, 200]);
      const text = await response.text();
      // The removed fields may change: they describe the pipeline itself or depend on the current time.
      all[path] = text
        .replaceAll(/^.*metrics_collector_.*$/gm, "")
        .replaceAll(/"callsPerSecond":[^,}]+/g, "");
    }
    return all;
  };
  const buffered = await answers();
  await letTimePass();
  await ringAlarm();
  expect(await answers()).toEqual(buffered); // sealed and sent
  const messages = await sentMessages();
  await deliver(messages, { env: envWith({ BUFFER: unreachableBuffers() }) });
  expect(await answers()).toEqual(buffered); // in D1, unconfirmed
  await deliver(messages);
  expect(await sentMessages()).toEqual([]);
  expect(await answers()).toEqual(buffered); // confirmed
  const { epoch, n } = await buffer().settledBelow();
  await env.DB.prepare("INSERT INTO epochs VALUES (?, ?)").bind(epoch, n).run();
  await env.DB.exec("DELETE FROM flushes");
  expect(await answers()).toEqual(buffered); // below the low watermark
});
