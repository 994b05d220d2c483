import { createExecutionContext, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { app } from "../src/app.ts";
import { readConfiguration } from "../src/configuration.ts";
import { envWith } from "./faults.ts";
import { acknowledged, alarmTime, buffer, calls, letTimePass, ringAlarm } from "./worker.ts";

describe("a setting", () => {
  it("is a whole number, as text or as a number", () => {
    expect(readConfiguration({ MAX_ITEMS: "3", MAX_WAITING_TIME: "5" })).toEqual({
      maxItems: 3,
      maxWaitingMs: 5_000,
    });
    expect(readConfiguration({ MAX_ITEMS: 3, MAX_WAITING_TIME: 5 } as never).maxItems).toBe(3);
  });

  it.each(["", " ", "0", "-1", "1.5", "ten", "1e9", "NaN", "Infinity", undefined, null, true, {}])(
    "that is invalid makes the request fail with a message that names it: %j",
    async (value) => {
      const request = new Request("https://metrics.example/samples", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: '{"service":"s","samples":[{"function":"f","durationMs":1}]}',
      });
      const wrong = envWith({ MAX_ITEMS: value as string });
      const response = await app.fetch(request, wrong, createExecutionContext());
      expect(response.status).toBe(500);
      const { error } = await response.json<{ error: { code: string; message: string } }>();
      expect(error.code).toBe("misconfigured");
      expect(error.message).toMatch(/^MAX_ITEMS must be a whole number from 1 to 1000000. It is /);
      expect(await calls()).toEqual({});
    },
  );

  it("that becomes invalid does not stop the alarm for ever", async () => {
    await acknowledged([{ function: "work", durationMs: 5 }]);
    await letTimePass();
    await runInDurableObject(buffer(), (instance) => {
      Reflect.set(instance, "env", envWith({ MAX_WAITING_TIME: "soon" }));
    });
    await ringAlarm();
    expect(await alarmTime()).toBeGreaterThan(Date.now());
    expect(await calls()).toEqual({ work: 1 });

    await runInDurableObject(buffer(), (instance) => {
      Reflect.set(instance, "env", env);
    });
    await ringAlarm();
    await vi.waitFor(async () => expect(await buffer().health()).toMatchObject({ unconfirmedFlushes: 1 }));
  });
});
