import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { dbAway, envWith, unreachableBuffers } from "../faults.ts";
import { acknowledged, carryToD1 } from "../worker.ts";
import {
  alarmTime,
  evict,
  list,
  minute,
  minutes,
  object,
  Receiver,
  ring,
  send,
  START,
  states,
  withWebhook,
} from "./follower.ts";

let receiver: Receiver;
beforeEach(() => {
  receiver = new Receiver();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const OUTAGE = { errors: 60 };

function replaceEnv(replaced: Partial<Env>): Promise<void> {
  return runInDurableObject(object(), (instance) => {
    Reflect.set(instance, "env", envWith(replaced));
  });
}

describe("without rules and targets", () => {
  it("there is no alarm, and no table", async () => {
    expect(await list()).toMatchObject({ isActive: false, alerts: [], targets: [] });
    expect(await alarmTime()).toBeNull();
    const tables = await runInDurableObject(object(), (_, { storage }) =>
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_%' ESCAPE '\\'").toArray(),
    );
    expect(tables).toEqual([]);
  });

  it("the default rules are listed", async () => {
    const { rules } = await list();
    expect(rules.map(({ id, isDefault }) => [id, isDefault])).toEqual([
      ["failing", true],
      ["silent", true],
      ["slower", true],
    ]);
  });
});

describe("the alarm", () => {
  it("is set five seconds after the next minute once there is a target, and removed with it", async () => {
    await withWebhook();
    expect(await alarmTime()).toBe(START + 5_000);
    await minute(0);
    expect(await alarmTime()).toBe(START + 125_000);
    await send("DELETE", "/alerts/targets/hook");
    expect(await alarmTime()).toBeNull();
    expect(await list()).toMatchObject({ isActive: false });
  });

  it("is set for a rule, also without a target", async () => {
    vi.setSystemTime(START);
    await send("PUT", "/alerts/rules/errors", { kind: "threshold", figure: "errorRate", above: 0.05 });
    expect(await alarmTime()).toBe(START + 5_000);
    await send("PUT", "/alerts/rules/errors", {
      kind: "threshold",
      figure: "errorRate",
      above: 0.05,
      enabled: false,
    });
    expect(await alarmTime()).toBeNull();
  });
});

describe("an outage", () => {
  it("is told within the minute after its first failed call, and told again when it is over", async () => {
    await withWebhook();
    await minutes(0, 3, {});
    expect(receiver.received).toEqual([]);
    await minute(4, OUTAGE);
    expect(receiver.titles).toEqual(["Firing: Failing – pay of shop"]);
    expect(await states()).toEqual({ pay: "firing" });
    expect(receiver.bodies[0]).toMatchObject({
      type: "alert.firing",
      data: { service: "shop", firing: [{ sentence: "60 of the last 60 calls failed.", severity: "page" }] },
    });

    await minutes(5, 30, {});
    expect(receiver.titles.slice(1)).toEqual(["Over: Failing – pay of shop"]);
    expect(await states()).toEqual({});
    const { history, deliveries } = await list();
    expect(history.map(({ change }) => change)).toEqual(["resolved", "fired"]);
    expect(deliveries.map(({ result, kind, answer }) => [result, kind, answer])).toEqual([
      ["delivered", "over", "200: ok"],
      ["delivered", "firing", "200: ok"],
    ]);
  });

  it("of many functions of a service is one message", async () => {
    await withWebhook();
    const names = ["a", "b", "c"];
    await minute(0, ...names.map((name) => ({ function: name })), { service: "bank" });
    await minute(1, ...names.map((name) => ({ function: name, ...OUTAGE })), { service: "bank", ...OUTAGE });
    expect(receiver.titles.sort()).toEqual([
      "Firing: Failing – 3 alerts of shop",
      "Firing: Failing – pay of bank",
    ]);
  });

  it("is the same whether its calls are in the buffer or in D1, and whether the object was evicted", async () => {
    await withWebhook();
    await minutes(0, 2, {});
    await carryToD1();
    await evict();
    await minute(3, OUTAGE);
    await carryToD1();
    await evict();
    await minute(4, OUTAGE);
    expect(receiver.titles).toEqual(["Firing: Failing – pay of shop"]);
  });
});

describe("a rule of somebody's own", () => {
  it("on a duration that is no bucket's bound is judged from the histogram", async () => {
    await withWebhook({ severities: ["ticket"] });
    await send("PUT", "/alerts/rules/slow", {
      kind: "threshold",
      figure: "p95Ms",
      above: 300,
      window: "2m",
      severity: "ticket",
      keepFiringFor: "0s",
    });
    await minute(0, { ms: 290 });
    await minute(1, { ms: 290 });
    expect(receiver.titles).toEqual([]);
    await minute(2, { ms: 310 });
    expect(receiver.titles).toEqual(["Firing: slow – pay of shop"]);
    await minutes(3, 4, { ms: 290 });
    expect(receiver.titles).toEqual(["Firing: slow – pay of shop", "Over: slow – pay of shop"]);
  });

  it("with `for` waits, and fires once although minutes were missed", async () => {
    await withWebhook();
    await send("PUT", "/alerts/rules/errors", {
      kind: "threshold",
      figure: "errorRate",
      above: 0.2,
      for: "3m",
      severity: "page",
      labels: { team: "checkout" },
    });
    await send("PUT", "/alerts/rules/failing", { kind: "attention", judges: "failing", enabled: false });
    await minutes(0, 5, {});
    // The alarm does not ring for six minutes.
    for (let number = 6; number < 12; number++) {
      vi.setSystemTime(START + number * 60_000 + 30_000);
      await acknowledged([{ function: "pay", calls: 60, errors: 30, unmeasured: 60 }]);
    }
    await evict();
    await minute(12, { errors: 30 });
    const { alerts } = await list();
    expect(alerts).toMatchObject([{ state: "firing", labels: { team: "checkout" } }]);
    // 20 % over five minutes are first exceeded at the end of minute 8. Three minutes later it fires.
    expect(Date.parse(alerts[0]!.activeAt) - START).toBe(9 * 60_000);
    expect(Date.parse(alerts[0]!.firedAt!) - START).toBe(12 * 60_000);
    expect(receiver.titles).toEqual(["Firing: errors – pay of shop"]);
  });

  it("that is deleted ends its alerts", async () => {
    await withWebhook();
    await send("PUT", "/alerts/rules/errors", { kind: "threshold", figure: "errorRate", above: 0.2 });
    await send("PUT", "/alerts/rules/failing", { kind: "attention", judges: "failing", enabled: false });
    await minutes(0, 1, OUTAGE);
    await send("DELETE", "/alerts/rules/errors");
    await minute(2, OUTAGE);
    expect(receiver.bodies[1]).toMatchObject({
      type: "alert.resolved",
      data: { resolved: [{ sentence: "The rule was deleted." }] },
    });
  });
});

describe("if the buffer or D1 does not answer", () => {
  it.each([
    ["the buffer", { BUFFER: unreachableBuffers() }],
    ["D1", { DB: dbAway() }],
  ])("%s: alerts are unknown, and neither fire nor end", async (_, away) => {
    await withWebhook();
    await minutes(0, 2, {});
    await minutes(3, 4, OUTAGE);
    await replaceEnv(away);
    vi.setSystemTime(START + 5 * 60_000 + 65_000);
    await ring();
    expect(await states()).toEqual({ pay: "firing, unknown" });
    expect((await list()).problem).toMatch(/did not answer|DB is overloaded/);
    expect(receiver.received).toHaveLength(1);
    await replaceEnv({});
    await minute(6, OUTAGE);
    expect(await states()).toEqual({ pay: "firing" });
    expect((await list()).problem).toBeNull();
    expect(receiver.received).toHaveLength(1);
  });
});

describe("calls that arrive late", () => {
  it("count in the minute of the call, also after more than ten minutes", async () => {
    await withWebhook();
    await send("PUT", "/alerts/rules/errors", {
      kind: "threshold",
      figure: "errorRate",
      above: 0.4,
      window: "1h",
      severity: "page",
    });
    await send("PUT", "/alerts/rules/failing", { kind: "attention", judges: "failing", enabled: false });
    await minutes(0, 20, {});
    // A client that was away reports what failed a quarter of an hour ago.
    const at = START + 4 * 60_000;
    await acknowledged([{ function: "pay", at, calls: 2000, errors: 2000, unmeasured: 2000 }]);
    await minute(21, {});
    expect(receiver.titles).toEqual(["Firing: errors – pay of shop"]);
    // They are not in the last five minutes.
    await send("PUT", "/alerts/rules/short", {
      kind: "threshold",
      figure: "errorRate",
      above: 0.01,
      window: "5m",
    });
    await minute(22, {});
    expect((await list()).alerts.map(({ rule }) => rule)).toEqual(["errors"]);
  });
});

describe("the clock", () => {
  it("that is set back by an hour stops nothing for long", async () => {
    await withWebhook();
    await minutes(60, 62, {});
    await minute(0, OUTAGE);
    expect(await states()).toEqual({ pay: "firing" });
    expect(receiver.titles).toEqual(["Firing: Failing – pay of shop"]);
  });

  it("that leaps ahead by a day loses no alert", async () => {
    await withWebhook();
    await minutes(0, 2, {});
    await minute(3, OUTAGE);
    await carryToD1();
    await evict();
    await minutes(1443, 1450, {});
    expect(receiver.titles).toEqual(["Firing: Failing – pay of shop", "Over: Failing – pay of shop"]);
  });
});

describe("a function that is deleted", () => {
  it("ends its alerts, and begins anew when it is called again", async () => {
    await withWebhook();
    await minutes(0, 1, {});
    await minute(2, OUTAGE);
    await send("DELETE", "/metrics/shop/pay");
    await minute(3);
    expect(receiver.bodies[1]).toMatchObject({
      data: {
        resolved: [{ sentence: expect.stringContaining("The function is no longer known") as string }],
      },
    });
    await minute(4, { calls: 20, errors: 0 });
    expect(await states()).toEqual({});
  });
});
