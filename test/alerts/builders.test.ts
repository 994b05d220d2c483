import { describe, expect, it } from "vitest";
import { alertId, alertKey, type Alert } from "../../src/alerts/alert.ts";
import { refusalOfAddress } from "../../src/outgoing-address.ts";
import { buildAlertmanager } from "../../src/alerts/notify/alertmanager.ts";
import { buildDiscord } from "../../src/alerts/notify/discord.ts";
import { buildEmail } from "../../src/alerts/notify/email.ts";
import type { Delivery, Message } from "../../src/alerts/notify/message.ts";
import { buildNtfy } from "../../src/alerts/notify/ntfy.ts";
import { buildPagerDuty } from "../../src/alerts/notify/pagerduty.ts";
import { planMessages } from "../../src/alerts/notify/plan.ts";
import { quietUntil } from "../../src/alerts/notify/quiet-hours.ts";
import { buildSlack } from "../../src/alerts/notify/slack.ts";
import { buildTeams } from "../../src/alerts/notify/teams.ts";
import { buildWebhook } from "../../src/alerts/notify/webhook.ts";
import { splitTarget, Target } from "../../src/alerts/target.ts";

/** 2026-11-27, 19:00 UTC. */
const AT = 1_795_806_000;

function alert(fields: Partial<Alert> = {}): Alert {
  const id = { service: "shop", module: "", function: fields.function ?? "pay" };
  const key = alertKey("failing", "", id);
  return {
    ...id,
    key,
    id: alertId(key),
    rule: "failing",
    part: "",
    name: "Failing",
    severity: "page",
    labels: { team: "checkout" },
    runbook: "https://wiki.example/pay",
    state: { phase: "firing", activeAt: AT - 60, firedAt: AT, recoveringSince: null, unknownSince: null },
    value: 0.5,
    sentence: "50 % of calls fail, usually 0.1 %; since 2 minutes.",
    changedAt: AT,
    told: {},
    acknowledged: null,
    ...fields,
  };
}

function message(fields: Partial<Message> = {}): Message {
  return {
    id: "msg_1",
    kind: "firing",
    service: "shop",
    at: AT,
    firing: [alert()],
    over: [],
    stillFiring: ["failing"],
    origin: "https://metrics.example",
    ...fields,
  };
}

const ended = message({ kind: "over", at: AT + 600, firing: [], over: [alert()], stillFiring: [] });
const odd = message({ firing: [alert({ function: "<!channel> *a* @everyone & `b`\n| c" })] });
const url = "https://receiver.example/x";

const LINK = "https://metrics.example/?service=shop&module=&function=pay";
const SENTENCE = "50 % of calls fail, usually 0.1 %; since 2 minutes.";
const JSON_TYPE = { "Content-Type": "application/json" };
/** The alert as a webhook has it. */
const DATA = {
  id: "ebfb6a6799172209",
  rule: "failing",
  name: "Failing",
  service: "shop",
  module: "",
  function: "pay",
  severity: "page",
  labels: { team: "checkout" },
  sentence: SENTENCE,
  value: 0.5,
  runbook: "https://wiki.example/pay",
  activeAt: "2026-11-27T18:59:00Z",
  firedAt: "2026-11-27T19:00:00Z",
};

/** A request with its body as JSON. */
function read({ body, ...request }: Delivery): object & { body: unknown } {
  return { ...request, body: JSON.parse(body) as unknown };
}

describe("webhook", () => {
  it("says what fires, and what is over", async () => {
    const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    expect(read(await buildWebhook(message(), { url, secret }, AT + 5))).toEqual({
      url,
      headers: {
        "Content-Type": "application/json",
        "webhook-id": "msg_1",
        "webhook-signature": "v1,xvmko7rrprWMA/NvkZP9eH4kp2ok9cHiLWnpSxyP76Y=",
        "webhook-timestamp": "1795806005",
      },
      body: {
        type: "alert.firing",
        timestamp: "2026-11-27T19:00:00Z",
        data: {
          title: "Firing: Failing – pay of shop",
          service: "shop",
          link: LINK,
          firing: [DATA],
          resolved: [],
        },
      },
    });
    expect(read(await buildWebhook(ended, { url, secret }, AT + 605)).body).toEqual({
      type: "alert.resolved",
      timestamp: "2026-11-27T19:10:00Z",
      data: {
        title: "Over: Failing – pay of shop",
        service: "shop",
        link: LINK,
        firing: [],
        resolved: [{ ...DATA, endedAt: "2026-11-27T19:10:00Z" }],
      },
    });
  });
});

describe("Slack", () => {
  it("shows a title, a line for each alert and a link", () => {
    expect(read(buildSlack(message(), { url }))).toEqual({
      url,
      headers: JSON_TYPE,
      body: {
        text: "Firing: Failing – pay of shop",
        blocks: [
          { type: "header", text: { type: "plain_text", text: "Firing: Failing – pay of shop" } },
          { type: "section", text: { type: "mrkdwn", text: `• pay of shop: ${SENTENCE}` } },
          { type: "context", elements: [{ type: "mrkdwn", text: `<${LINK}|Open the collector>` }] },
        ],
      },
    });
  });

  it("mentions nobody, whatever a function is called", () => {
    const { text, blocks } = JSON.parse(buildSlack(odd, { url }).body) as { text: string; blocks: object[] };
    // The header is plain text, which Slack does not read as markup.
    expect(JSON.stringify([text, blocks.slice(1)])).not.toContain("<!channel>");
  });

  it("stays within its limits", () => {
    const many = Array.from({ length: 200 }, (_, i) => alert({ function: `${"ä".repeat(500)}${i}` }));
    const { blocks } = JSON.parse(buildSlack(message({ firing: many }), { url }).body) as {
      blocks: { text?: { text: string } }[];
    };
    expect(blocks[0]!.text!.text.length).toBeLessThanOrEqual(150);
    expect(blocks[1]!.text!.text.length).toBeLessThanOrEqual(3_000);
  });
});

describe("Microsoft Teams", () => {
  it("shows an adaptive card", () => {
    expect(read(buildTeams(message(), { url }))).toEqual({
      url,
      headers: JSON_TYPE,
      body: {
        type: "message",
        attachments: [
          {
            contentType: "application/vnd.microsoft.card.adaptive",
            content: {
              $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
              type: "AdaptiveCard",
              version: "1.4",
              body: [
                {
                  type: "TextBlock",
                  text: "Firing: Failing – pay of shop",
                  wrap: true,
                  weight: "bolder",
                  size: "medium",
                  color: "attention",
                },
                { type: "TextBlock", text: `pay of shop: ${SENTENCE}`, wrap: true },
              ],
              actions: [{ type: "Action.OpenUrl", title: "Open the collector", url: LINK }],
            },
          },
        ],
      },
    });
  });

  it("stays below 24 KB", () => {
    const many = Array.from({ length: 200 }, (_, i) => alert({ function: `${"ä".repeat(900)}${i}` }));
    expect(new TextEncoder().encode(buildTeams(message({ firing: many }), { url }).body).length).toBeLessThan(
      24_000,
    );
  });
});

describe("Discord", () => {
  it("shows Markdown", () => {
    expect(read(buildDiscord(message(), { url }))).toEqual({
      url,
      headers: JSON_TYPE,
      body: {
        content: `**Firing: Failing – pay of shop**\n- pay of shop: ${SENTENCE}\n<${LINK}>`,
        allowed_mentions: { parse: [] },
      },
    });
  });

  it("mentions nobody, and stays within 2,000 characters", () => {
    const { content, allowed_mentions: mentions } = JSON.parse(buildDiscord(odd, { url }).body) as {
      content: string;
      allowed_mentions: object;
    };
    expect(mentions).toEqual({ parse: [] });
    expect(content).toContain("\\*a\\*");
    const many = Array.from({ length: 200 }, (_, i) => alert({ function: `${"a".repeat(500)}${i}` }));
    const long = JSON.parse(buildDiscord(message({ firing: many }), { url }).body) as { content: string };
    expect(long.content.length).toBeLessThanOrEqual(2_000);
  });
});

describe("PagerDuty", () => {
  it("opens an incident, and resolves the same one", async () => {
    const events = await buildPagerDuty(message(), { routingKey: "R".repeat(32) });
    expect(events.map(read)).toEqual([
      {
        url: "https://events.pagerduty.com/v2/enqueue",
        headers: JSON_TYPE,
        body: {
          routing_key: "R".repeat(32),
          event_action: "trigger",
          dedup_key: "metrics-collector-9063f8aad4db89d995cce5ac29d907a1aa24d80b",
          client: "MetricsCollector",
          client_url: LINK,
          payload: {
            summary: `Failing: pay of shop. ${SENTENCE}`,
            source: "shop",
            severity: "critical",
            component: "pay",
            timestamp: "2026-11-27T19:00:00.000Z",
            custom_details: {
              alerts: [`pay of shop: ${SENTENCE}`],
              labels: { team: "checkout" },
              runbook: "https://wiki.example/pay",
            },
          },
        },
      },
    ]);
    const [resolved] = await buildPagerDuty(ended, { routingKey: "R".repeat(32) });
    expect(read(resolved!).body).toEqual({
      routing_key: "R".repeat(32),
      event_action: "resolve",
      dedup_key: "metrics-collector-9063f8aad4db89d995cce5ac29d907a1aa24d80b",
    });
  });

  it("resolves an incident only with the last function of the service", async () => {
    expect(await buildPagerDuty({ ...ended, stillFiring: ["failing"] }, { routingKey: "R" })).toEqual([]);
  });

  it("leaves no incident open after a test", async () => {
    const events = await buildPagerDuty(message({ kind: "test" }), { routingKey: "R" });
    const actions = events.map(({ body }) => (JSON.parse(body) as { event_action: string }).event_action);
    expect(actions).toEqual(["trigger", "resolve"]);
  });
});

describe("ntfy", () => {
  it("sends a message with a priority and a link", () => {
    expect(read(buildNtfy(message(), "alerts", { token: "tk_1" }))).toEqual({
      url: "https://ntfy.sh",
      headers: { ...JSON_TYPE, Authorization: "Bearer tk_1" },
      body: {
        topic: "alerts",
        title: "Firing: Failing – pay of shop",
        message: `pay of shop: ${SENTENCE}`,
        priority: 5,
        tags: ["rotating_light"],
        click: LINK,
      },
    });
  });
});

describe("Alertmanager", () => {
  it("is sent labels that identify the alert, and an end that it forgets it at", () => {
    expect(read(buildAlertmanager(message(), { url: "https://am.example/" }, AT + 5))).toEqual({
      url: "https://am.example/api/v2/alerts",
      headers: JSON_TYPE,
      body: [
        {
          labels: {
            team: "checkout",
            alertname: "failing",
            service_name: "shop",
            function: "pay",
            severity: "page",
          },
          annotations: {
            summary: "Failing: pay of shop",
            description: SENTENCE,
            runbook_url: "https://wiki.example/pay",
          },
          startsAt: "2026-11-27T19:00:00Z",
          endsAt: "2026-11-27T19:04:05Z",
          generatorURL: LINK,
        },
      ],
    });
    expect(read(buildAlertmanager(ended, { url: "https://am.example" }, AT + 605)).body).toMatchObject([
      { endsAt: "2026-11-27T19:10:00Z" },
    ]);
  });
});

describe("email", () => {
  it("has one line for each alert", () => {
    expect(buildEmail(message(), { from: "a@example.com", to: ["b@example.com"] })).toEqual({
      from: "a@example.com",
      to: ["b@example.com"],
      subject: "Firing: Failing – pay of shop",
      text: `Firing: Failing – pay of shop\n\n- pay of shop: ${SENTENCE}\n\n${LINK}\n`,
      headers: { "X-Message-Id": "msg_1" },
    });
  });

  it("has no line break in its subject", () => {
    expect(buildEmail(odd, { from: "a@example.com", to: ["b@example.com"] }).subject).not.toContain("\n");
  });
});

describe("addresses", () => {
  it.each([
    ["http://example.com/", "https"],
    ["https://user:password@example.com/", "password"],
    ["https://localhost/", "private"],
    ["https://a.localhost/", "private"],
    ["https://127.0.0.1/", "private"],
    ["https://2130706433/", "private"],
    ["https://0x7f.1/", "private"],
    ["https://0/", "private"],
    ["https://10.1.2.3/", "private"],
    ["https://172.31.0.1/", "private"],
    ["https://192.168.1.1/", "private"],
    ["https://169.254.169.254/latest/meta-data", "private"],
    ["https://100.64.0.1/", "private"],
    ["https://224.0.0.1/", "private"],
    ["https://[::1]/", "private"],
    ["https://[::ffff:10.0.0.1]/", "private"],
    ["https://[fd00::1]/", "private"],
    ["https://[fe80::1]/", "private"],
    ["https://[2002:a00:1::]/", "private"],
    ["https://router/", "private"],
    ["https://nas.local/", "private"],
    ["https://db.internal./", "private"],
    ["ftp://example.com/", "https"],
    ["nonsense", "not an address"],
  ])("%s is refused", (address, reason) => {
    expect(refusalOfAddress(address, false)).toContain(reason);
  });

  it.each([
    "https://example.com/hook?a=b",
    "https://172.32.0.1/",
    "https://[2606:4700::1111]/",
    "https://11.0.0.1:8443/",
  ])("%s is allowed", (address) => {
    expect(refusalOfAddress(address, false)).toBeUndefined();
  });

  it("of the own machine are allowed in local development", () => {
    expect(refusalOfAddress("http://127.0.0.1:9000/", true)).toBeUndefined();
    expect(refusalOfAddress("file:///etc/passwd", true)).toContain("https");
  });
});

describe("quiet hours", () => {
  const night = { from: "22:00", to: "07:00", timeZone: "Europe/Berlin", except: [] };
  const at = (text: string) => Date.parse(text) / 1000;

  it("over midnight end in the morning of their time zone", () => {
    expect(quietUntil(night, at("2026-11-27T20:59:00Z"))).toBeUndefined();
    expect(quietUntil(night, at("2026-11-27T21:00:00Z"))).toBe(at("2026-11-28T06:00:00Z"));
    expect(quietUntil(night, at("2026-11-28T05:59:59Z"))).toBe(at("2026-11-28T06:00:00Z"));
    expect(quietUntil(night, at("2026-11-28T06:00:00Z"))).toBeUndefined();
  });

  it("follow the change to summer time", () => {
    // In the night to 29 March 2026, 2:00 became 3:00.
    expect(quietUntil(night, at("2026-03-28T22:00:00Z"))).toBe(at("2026-03-29T05:00:00Z"));
  });

  it("within a day", () => {
    const lunch = { from: "12:00", to: "13:00", timeZone: "UTC", except: [] };
    expect(quietUntil(lunch, at("2026-11-27T12:30:00Z"))).toBe(at("2026-11-27T13:00:00Z"));
    expect(quietUntil(lunch, at("2026-11-27T13:00:00Z"))).toBeUndefined();
  });
});

describe("targets", () => {
  it("are split into what may be shown and what may not", () => {
    const target = Target.parse({
      type: "pagerduty",
      routingKey: "key",
      url: "https://events.eu.pagerduty.com/v2/enqueue",
    });
    const { shown, secrets } = splitTarget(target);
    expect(JSON.stringify(shown)).not.toMatch(/key|pagerduty\.com/);
    expect(secrets).toEqual({ routingKey: "key", url: "https://events.eu.pagerduty.com/v2/enqueue" });
  });
});

describe("a plan", () => {
  const { shown } = splitTarget(Target.parse({ type: "slack", url, severities: ["page"] }));
  const plan = (alerts: Alert[], endedAlerts: Alert[] = []) => {
    let n = 0;
    return planMessages(
      { targets: [{ id: "s", target: shown }], silences: [], alerts, ended: endedAlerts, origin: "" },
      AT,
      () => `msg_${++n}`,
    );
  };

  it("tells each alert once, one message for each service", () => {
    const first = plan([
      alert(),
      alert({ function: "list", key: "other" }),
      alert({ service: "bank", key: "third" }),
    ]);
    expect(first.messages.map((one) => [one.message.service, one.message.firing.length])).toEqual([
      ["shop", 2],
      ["bank", 1],
    ]);
    expect(plan(first.told).messages).toEqual([]);
  });

  it("tells no end of what nobody was told of, and nothing of other severities", () => {
    expect(plan([], [alert()]).messages).toEqual([]);
    expect(plan([alert({ severity: "ticket" })]).messages).toEqual([]);
    expect(plan([], [alert({ told: { s: AT } })]).messages).toMatchObject([{ message: { kind: "over" } }]);
  });
});
