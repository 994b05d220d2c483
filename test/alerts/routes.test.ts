import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AlertList } from "../../src/alerts/routes/list.ts";
import { envWith } from "../faults.ts";
import { fetchWorker, get, getJson } from "../worker.ts";
import worker from "../../src/index.ts";
import { list, minute, Receiver, send, START, withWebhook } from "./follower.ts";

const THRESHOLD = { kind: "threshold", figure: "errorRate", above: 0.05 };

let receiver: Receiver;
beforeEach(() => {
  receiver = new Receiver();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe("rules", () => {
  it("are written with their defaults, read, listed and deleted", async () => {
    const written = await send("PUT", "/alerts/rules/errors", THRESHOLD);
    expect(written).toMatchObject({
      id: "errors",
      isDefault: false,
      rule: { ...THRESHOLD, window: "5m", for: "0s", keepFiringFor: "5m", severity: "page", minCalls: 20 },
      notes: [],
    });
    expect(await getJson("/alerts/rules/errors")).toEqual(written);
    expect((await list()).rules.map(({ id }) => id)).toEqual(["failing", "silent", "slower", "errors"]);
    await send("DELETE", "/alerts/rules/errors");
    await expect(send("DELETE", "/alerts/rules/errors")).rejects.toThrow("404");
  });

  it("of a default's id replace it, until they are deleted", async () => {
    const own = { kind: "attention", judges: "failing", enabled: false };
    expect((await send("PUT", "/alerts/rules/failing", own)).notes).toEqual([
      "It replaces the default rule of this id.",
    ]);
    expect(await getJson("/alerts/rules/failing")).toMatchObject({
      isDefault: false,
      rule: { enabled: false },
    });
    await send("DELETE", "/alerts/rules/failing");
    expect(await getJson("/alerts/rules/failing")).toMatchObject({
      isDefault: true,
      rule: { enabled: true },
    });
  });

  it("say which of their windows can never alert", async () => {
    const { notes } = await send("PUT", "/alerts/rules/slo", { kind: "objective", success: 90 });
    expect(notes).toEqual([
      "The windows with the factor 14.4 never alert: even if every call is bad, the budget burns only 10 times too fast.",
    ]);
  });

  it.each([
    ["{", "The body is not JSON."],
    [{ kind: "x" }, "The field kind of a rule is not allowed"],
    [{ ...THRESHOLD, above: undefined }, "it must be either above or below, and not both."],
    [{ ...THRESHOLD, above: 5 }, "it must be a share below 1, such as 0.05 for 5 %."],
    [{ ...THRESHOLD, window: "5 minutes" }, "it must be a duration of whole minutes, such as 5m or 1h"],
    [{ ...THRESHOLD, wat: 1 }, 'there is no field "wat".'],
    [{ kind: "objective", success: 100 }, "it must be a percentage above 0 and below 100, such as 99.9."],
    [{ ...THRESHOLD, labels: { "a-b": "c" } }, "labels"],
  ])("that are wrong are refused with a reason: %j", async (rule, reason) => {
    const body = typeof rule === "string" ? rule : JSON.stringify(rule);
    const response = await fetchWorker("/alerts/rules/r", { method: "PUT", body });
    expect(response.status).toBe(400);
    const { error } = await response.json<{ error: { message: string } }>();
    expect(error.message).toContain(reason);
  });

  it("with an id that would not fit in an address are refused", async () => {
    await expect(send("PUT", `/alerts/rules/${encodeURIComponent("a b")}`, THRESHOLD)).rejects.toThrow(
      "cannot be an id",
    );
  });

  it("that are too long are refused", async () => {
    await expect(send("PUT", "/alerts/rules/r", { ...THRESHOLD, name: "x".repeat(70_000) })).rejects.toThrow(
      "413",
    );
  });
});

describe("targets", () => {
  const secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "receiver.example", "T0PSECRET"];

  it("never show what is secret of them", async () => {
    const logged = vi.spyOn(console, "log");
    await withWebhook({ url: "https://receiver.example/T0PSECRET" });
    receiver.answer = ({ url }) => new Response(`unknown address ${url}`, { status: 404 });
    await minute(0, { errors: 60 });
    await send("POST", "/alerts/targets/hook/test");
    const shown = [
      await get("/alerts"),
      await get("/alerts/targets/hook"),
      await get("/health"),
      await get("/metrics"),
    ];
    const text = (await Promise.all(shown.map((response) => response.text()))).join("\n");
    const all = text + JSON.stringify(logged.mock.calls);
    expect(all).toContain("404");
    for (const secret of secrets) expect(all).not.toContain(secret);
  });

  it("keep their secrets if they are changed without them", async () => {
    await withWebhook();
    await send("PUT", "/alerts/targets/hook", { type: "webhook", severities: ["page"] });
    await send("POST", "/alerts/targets/hook/test");
    expect(receiver.received[0]).toMatchObject({ url: "https://receiver.example/alerts" });
    expect(receiver.received[0]!.headers["webhook-signature"]).toMatch(/^v1,/);
  });

  it("of another type do not inherit secrets", async () => {
    await withWebhook();
    await expect(send("PUT", "/alerts/targets/hook", { type: "slack" })).rejects.toThrow(
      "A target of the type slack needs the field url.",
    );
  });

  it("get a secret for webhooks, which is shown once", async () => {
    const url = "https://receiver.example/";
    const { secret } = await send("PUT", "/alerts/targets/w", { type: "webhook", url });
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/=]{44}$/);
    expect((await send("PUT", "/alerts/targets/w", { type: "webhook", url })).secret).toBeNull();
  });

  it("are tested with a sample, and say what they answered", async () => {
    await withWebhook();
    expect(await send("POST", "/alerts/targets/hook/test")).toEqual({ isDelivered: true, answer: "200: ok" });
    expect(receiver.bodies[0]).toMatchObject({
      type: "alert.test",
      data: { title: "Test: alerts of sample arrive here" },
    });
    await expect(send("POST", "/alerts/targets/other/test")).rejects.toThrow(
      'There is no target \\"other\\".',
    );
  });

  it("of a deployed Worker must be public and use https", async () => {
    const deployed = envWith({ OPEN_WITHOUT_TOKENS: "", ADMIN_TOKENS: "admin-token-1234" } as Partial<Env>);
    const put = (url: string) =>
      worker.fetch(
        new Request("https://metrics.example/alerts/targets/w", {
          method: "PUT",
          headers: { Authorization: "Bearer admin-token-1234" },
          body: JSON.stringify({ type: "webhook", url }),
        }),
        deployed,
      );
    for (const url of ["http://receiver.example/", "https://10.0.0.1/", "https://localhost/"]) {
      const response = await put(url);
      expect(response.status).toBe(400);
      expect(await response.text()).toContain("address_not_allowed");
    }
    expect((await put("https://receiver.example/")).status).toBe(200);
  });

  it("that do not answer for ten minutes are a problem on GET /health", async () => {
    await withWebhook();
    receiver.answer = () => new Response("", { status: 503 });
    for (let number = 0; number < 13; number++) await minute(number, { errors: 60 });
    const { status, problems } = await getJson<{ status: string; problems: string[] }>("/health", 503);
    expect(status).toBe("degraded");
    expect(problems).toEqual([
      "Alerts have not reached the target hook for 12 minutes. It answered: 503. Test it with POST /alerts/targets/hook/test.",
    ]);
  });
});

describe("GET /health", () => {
  it("says when rules were evaluated last, and that they are not", async () => {
    await withWebhook();
    await minute(0, {});
    expect(await getJson("/health")).toMatchObject({
      status: "ok",
      alertsEvaluatedAt: "2040-01-02T12:01:00.000Z",
    });
    vi.setSystemTime(START + 20 * 60_000);
    const { problems } = await getJson<{ problems: string[] }>("/health", 503);
    expect(problems[0]).toMatch(/^Rules of alerts were not evaluated for 19 minutes\./);
  });
});

describe("a scrape", () => {
  it("has ALERTS and ALERTS_FOR_STATE, as Prometheus writes them", async () => {
    await withWebhook();
    await minute(0, { errors: 60 });
    const text = await (await get("/metrics?format=prometheus")).text();
    const labels = 'alertname="failing",service_name="shop",function="pay",severity="page"';
    expect(text).toContain(`# TYPE ALERTS gauge\nALERTS{${labels},alertstate="firing"} 1\n`);
    expect(text).toContain(`ALERTS_FOR_STATE{${labels}} ${START / 1000 + 60}\n`);
  });
});

describe("GET /alerts", () => {
  it("answers as it is described", async () => {
    await withWebhook();
    await send("PUT", "/alerts/rules/errors", { ...THRESHOLD, minCalls: 1_000 });
    const endsAt = "2041-01-01T00:00:00Z";
    await send("PUT", "/alerts/silences/s", { selector: { service: "bank" }, endsAt, reason: "moving" });
    await minute(0, { errors: 60 });
    const answer = await list();
    expect(AlertList.parse(answer)).toEqual(answer);
    expect(answer.unknown).toEqual([
      {
        rule: "errors",
        service: "shop",
        module: "",
        function: "pay",
        sentence: "60 calls in the last 5 minutes, and the rule needs 1000.",
      },
    ]);
  });
});

describe("Prometheus' API", () => {
  it("lists rules and alerts as Grafana reads them", async () => {
    expect(await getJson("/api/v1/rules")).toEqual({ status: "success", data: { groups: [] } });
    await withWebhook();
    await minute(0, { errors: 60 });
    const { data } = await getJson<{ data: { groups: { rules: { name: string; state: string }[] }[] } }>(
      "/api/v1/rules",
    );
    expect(data.groups[0]!.rules.map(({ name, state }) => [name, state])).toEqual([
      ["failing", "firing"],
      ["silent", "inactive"],
      ["slower", "inactive"],
    ]);
    expect(await getJson("/api/v1/alerts")).toMatchObject({
      data: {
        alerts: [
          {
            labels: { alertname: "failing", service_name: "shop", function: "pay", severity: "page" },
            annotations: { summary: "Failing: pay of shop" },
            state: "firing",
            activeAt: "2040-01-02T12:01:00.000Z",
          },
        ],
      },
    });
  });
});
