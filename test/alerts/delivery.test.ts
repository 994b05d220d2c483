import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { signatureOf } from "../../src/alerts/notify/webhook.ts";
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
const ids = () => receiver.received.map(({ headers }) => headers["webhook-id"]);

/** The next alarms, with nothing new to judge. */
async function passTime(ms: number): Promise<void> {
  const end = Date.now() + ms;
  for (let at = await alarmTime(); at !== null && at <= end; at = await alarmTime()) {
    vi.setSystemTime(at);
    await ring();
  }
  vi.setSystemTime(end);
}

describe("a webhook", () => {
  it("is signed as Standard Webhooks describes, with the test vector of its documentation", async () => {
    const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const signature = await signatureOf(
      "msg_p5jXN8AQM9LWM0D4loKWxJek",
      1614265330,
      '{"test": 2432232314}',
      secret,
    );
    expect(signature).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  it("can be checked by its receiver", async () => {
    await withWebhook();
    await minute(0, OUTAGE);
    const [{ headers, body }] = receiver.received as [(typeof receiver.received)[number]];
    const time = Number(headers["webhook-timestamp"]);
    const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    expect(headers["webhook-signature"]).toBe(await signatureOf(headers["webhook-id"]!, time, body, secret));
  });
});

describe("a receiver that does not take a message", () => {
  it.each([
    ["answers 500", () => new Response("no", { status: 500 })],
    ["answers 429", () => new Response("slow down", { status: 429, headers: { "Retry-After": "40" } })],
    [
      "loses the connection",
      () => {
        throw new TypeError("Network connection lost.");
      },
    ],
  ])("because it %s gets it again, under the same id", async (_, answer) => {
    await withWebhook();
    receiver.answer = answer;
    await minute(0, OUTAGE);
    await passTime(10 * 60_000);
    expect(receiver.received.length).toBeGreaterThan(3);
    expect(receiver.received.length).toBeLessThan(9);
    receiver.answer = () => new Response();
    await passTime(60 * 60_000);
    const delivered = receiver.received.length;
    expect(new Set(ids()).size).toBe(1);
    expect((await list()).waiting).toBe(0);
    await passTime(60_000);
    expect(receiver.received).toHaveLength(delivered);
  });

  it("because it refuses it for good is not asked again, and shown as failing", async () => {
    await withWebhook();
    receiver.answer = () => new Response("unknown channel", { status: 404 });
    await minute(0, OUTAGE);
    await passTime(10 * 60_000);
    expect(receiver.received).toHaveLength(1);
    const { targets, deliveries } = await list();
    expect(targets[0]).toMatchObject({
      lastAnswer: "404: unknown channel",
      failingSince: "2040-01-02T12:01:05.000Z",
    });
    expect(deliveries).toMatchObject([{ result: "refused", attempts: 1 }]);
  });

  it("because it redirects is not followed", async () => {
    await withWebhook();
    receiver.answer = () =>
      new Response(null, { status: 302, headers: { Location: "http://169.254.169.254/" } });
    await minute(0, OUTAGE);
    expect(receiver.received).toHaveLength(1);
    expect((await list()).deliveries).toMatchObject([{ result: "refused" }]);
  });

  it("gets the end of an alert only after its beginning", async () => {
    await withWebhook();
    await minutes(0, 3, {});
    receiver.answer = () => new Response("", { status: 503 });
    await minute(4, OUTAGE);
    await minutes(5, 30, {});
    expect(new Set(receiver.titles)).toEqual(new Set(["Firing: Failing – pay of shop"]));
    receiver.answer = () => new Response();
    await passTime(2 * 60 * 60_000);
    expect(receiver.titles.slice(-2)).toEqual([
      "Firing: Failing – pay of shop",
      "Over: Failing – pay of shop",
    ]);
  });

  it("for three days is given up, and that is noted", async () => {
    await withWebhook();
    receiver.answer = () => new Response("", { status: 503 });
    await minute(0, OUTAGE);
    await runInDurableObject(object(), (_, { storage }) => {
      storage.sql.exec(
        "UPDATE outbox SET message = json_set(message, '$.at', json_extract(message, '$.at') - 300000)",
      );
    });
    await passTime(60_000);
    expect((await list()).deliveries[0]).toMatchObject({ result: "given up" });
    expect((await list()).waiting).toBe(0);
  });
});

describe("a kill", () => {
  it("between the change of an alert and its delivery loses no message", async () => {
    await withWebhook();
    let isKilled = false;
    receiver.answer = () => {
      if (isKilled) return new Response();
      isKilled = true;
      // As if the object died while it waited for the answer.
      throw new Error("killed");
    };
    await minute(0, OUTAGE);
    await evict();
    await passTime(60_000);
    expect(new Set(ids()).size).toBe(1);
    expect(ids()).toHaveLength(2);
  });
});

describe("silences", () => {
  it("keep people from being told, until they end", async () => {
    await withWebhook();
    const endsAt = new Date(START + 5 * 60_000).toISOString();
    await send("PUT", "/alerts/silences/night", {
      selector: { service: "shop" },
      endsAt,
      reason: "migration",
    });
    await minutes(0, 2, OUTAGE);
    const { alerts } = await list();
    expect(alerts).toMatchObject([{ state: "firing", isSilenced: true, told: [] }]);
    expect(receiver.received).toEqual([]);
    await minutes(3, 5, OUTAGE);
    expect(receiver.titles).toEqual(["Firing: Failing – pay of shop"]);
  });

  it("of alerts that end meanwhile say nothing at all", async () => {
    await withWebhook();
    const endsAt = new Date(START + 3_600_000).toISOString();
    await send("PUT", "/alerts/silences/night", { rule: "fail*", endsAt, reason: "migration" });
    await minute(0, OUTAGE);
    await minutes(1, 62, {});
    expect(receiver.received).toEqual([]);
  });

  it("need a reason, and an end in the future", async () => {
    await expect(
      send("PUT", "/alerts/silences/x", { endsAt: "2041-01-01T00:00:00Z", reason: " " }),
    ).rejects.toThrow("The field reason of a silence is not allowed: it must be a reason.");
    await expect(
      send("PUT", "/alerts/silences/x", { endsAt: "2001-01-01T00:00:00Z", reason: "x" }),
    ).rejects.toThrow("The field endsAt must be in the future");
  });
});

describe("quiet hours", () => {
  it("hold what can wait, and not what pages", async () => {
    const quietHours = { from: "12:00", to: "12:30", timeZone: "UTC", except: ["page"] };
    await withWebhook({ quietHours });
    await send("PUT", "/alerts/rules/tickets", {
      kind: "threshold",
      figure: "errorRate",
      above: 0.5,
      severity: "ticket",
    });
    await minute(0, OUTAGE);
    expect(receiver.titles).toEqual(["Firing: Failing – pay of shop"]);
    await passTime(20 * 60_000);
    expect(receiver.received).toHaveLength(1);
    await passTime(15 * 60_000);
    expect(receiver.titles).toEqual(["Firing: Failing – pay of shop", "Firing: tickets – pay of shop"]);
  });
});

describe("repeats", () => {
  it("come while an alert fires and nobody has acknowledged it", async () => {
    await withWebhook({ repeat: "10m" });
    await minutes(0, 25, OUTAGE);
    expect(receiver.titles).toEqual([
      "Firing: Failing – pay of shop",
      "Still firing: Failing – pay of shop",
      "Still firing: Failing – pay of shop",
    ]);
    const [alert] = (await list()).alerts;
    await send("POST", `/alerts/${alert!.id}/acknowledge`, { by: "Ada", note: "on it" });
    await minutes(26, 50, OUTAGE);
    expect(receiver.received).toHaveLength(3);
    expect((await list()).alerts).toMatchObject([{ acknowledged: { by: "Ada", note: "on it" } }]);
  });
});

describe("a heartbeat", () => {
  it("is called each minute while rules are evaluated, and not while they are not", async () => {
    vi.setSystemTime(START);
    await send("PUT", "/alerts/targets/beat", { type: "heartbeat", url: "https://beat.example/abc" });
    await minutes(0, 4, {});
    expect(receiver.received.map(({ url }) => url)).toEqual(Array(5).fill("https://beat.example/abc"));
    await runInDurableObject(object(), (instance) => {
      Reflect.set(instance, "env", { DB: {}, BUFFER: {} });
    });
    await minutes(5, 6, {});
    expect(receiver.received).toHaveLength(5);
  });
});

describe("an Alertmanager", () => {
  it("is sent what fires at each evaluation, and its end once", async () => {
    vi.setSystemTime(START);
    await send("PUT", "/alerts/targets/am", { type: "alertmanager", url: "https://am.example/" });
    await minutes(0, 3, {});
    await minutes(4, 6, OUTAGE);
    const sent = () => receiver.bodies as unknown as { labels: object; startsAt: string; endsAt: string }[][];
    expect(sent().map(([alert]) => alert!.endsAt)).toEqual([
      "2040-01-02T12:09:05Z",
      "2040-01-02T12:10:05Z",
      "2040-01-02T12:11:05Z",
    ]);
    expect(receiver.received[0]!.url).toBe("https://am.example/api/v2/alerts");
    expect(sent()[0]![0]).toMatchObject({
      labels: { alertname: "failing", service_name: "shop", function: "pay", severity: "page" },
      startsAt: "2040-01-02T12:05:00Z",
    });
    await minutes(7, 40, {});
    const [last] = sent().at(-1)!;
    const { history } = await list();
    expect(Date.parse(last!.endsAt)).toBe(Date.parse(history[0]!.at));
  });
});
