/**
 * The Durable Object that evaluates rules. It rings each minute while there are rules or targets, reads what changed, judges,
 * and delivers what people are to be told. Without rules and targets it has no alarm and costs nothing.
 *
 * A change of an alert and the messages about it are stored in one transaction. Whatever dies, the next alarm goes on from what
 * is stored: minutes that were missed are judged one by one, and messages that were not delivered are sent again.
 */
import { DurableObject } from "cloudflare:workers";
import { Alarm } from "../alarm.ts";
import { log, logError } from "../log.ts";
import type { Alert } from "./alert.ts";
import { deliverDue, type DeliveryParts, setStatus } from "./deliver.ts";
import { evaluate, evaluateUnknown, type Evaluation, type Step } from "./evaluate.ts";
import { follow, type Followings, judgedAt, type SlowerOfQuarter } from "./follow.ts";
import { annotationsOf, labelsOf } from "./notify/alertmanager.ts";
import type { Message } from "./notify/message.ts";
import { planMessages } from "./notify/plan.ts";
import { post, send, type Sent } from "./notify/send.ts";
import { expressionOf, type Rule, secondsOf } from "./rule.ts";
import { sampleMessage } from "./sample-message.ts";
import { isSilenced, type Silence } from "./silence.ts";
import { isFiring } from "./state.ts";
import { CallStore } from "./storage/call-store.ts";
import { AlertConfiguration } from "./storage/configuration.ts";
import { AlertHistory, eventOf } from "./storage/history.ts";
import { JsonRows } from "./storage/json-rows.ts";
import { AlertOutbox } from "./storage/outbox.ts";
import { Tables } from "./storage/tables.ts";
import { missingSecret, type PublicTarget, type Secrets } from "./target.ts";
import type { AlertsHealth, AlertsListing } from "./listing.ts";

const MINUTE = 60;
/** Evaluations begin so many milliseconds after the minute, when most of its calls have arrived. */
const AFTER_MINUTE_MS = 5_000;
/** Missed minutes that are judged one by one. Of a longer time, the last of them. */
const JUDGED_AT_ONCE = 60;
/** A clock that was set back by more than this is believed. */
const CLOCK_TURNED = 10 * MINUTE;
const LISTED_EVENTS = 200;
const TOLD_CHANGES = new Set(["fired", "resolved", "unknown", "known"]);

export class Alerts extends DurableObject<Env> {
  readonly #tables: Tables;
  readonly #configuration: AlertConfiguration;
  readonly #history: AlertHistory;
  readonly #outbox: AlertOutbox;
  readonly #calls: CallStore;
  readonly #alertRows: JsonRows<Alert>;
  readonly #alarm: Alarm;
  /** What the last evaluation could not judge, and why it failed if it did. Only for people. */
  #unknown: Evaluation["unknown"] = [];
  #problem: string | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const { storage } = ctx;
    const { sql } = storage;
    this.#tables = new Tables(sql);
    this.#configuration = new AlertConfiguration(sql, this.#tables);
    this.#history = new AlertHistory(sql, this.#tables);
    this.#outbox = new AlertOutbox(sql);
    this.#calls = new CallStore(sql);
    this.#alertRows = new JsonRows(sql, "alerts", "alert", "key");
    this.#alarm = new Alarm(storage);
    void ctx.blockConcurrencyWhile(() => this.#alarm.load());
  }

  list(): AlertsListing {
    const now = Math.floor(Date.now() / 1000);
    const silences = this.#configuration.silences();
    const { rules: _, active: __, ...health } = this.health();
    const own = new Set(this.#configuration.ownRules().map(({ id }) => id));
    return {
      rules: this.#configuration.rules().map((rule) => ({ rule, isDefault: !own.has(rule.id) })),
      alerts: [...this.#alerts().values()].map((alert) => ({
        alert,
        isSilenced: isSilenced(
          alert,
          silences.map(({ value }) => value),
          now,
        ),
      })),
      silences: silences.map(({ id, value }) => ({ id, silence: value })),
      targets: this.#configuration.targets().map(({ id, target, status }) => ({ id, target, status })),
      events: this.#history.events(LISTED_EVENTS),
      deliveries: this.#history.deliveries(LISTED_EVENTS),
      unknown: this.#unknown,
      ...health,
    };
  }

  health(): AlertsHealth {
    return {
      isActive: this.#isNeeded(),
      evaluatedAt: this.#tables.exist ? this.#calls.lastEvaluation() : 0,
      activeSince: (this.#configuration.setting("activeSince") as number | undefined) ?? 0,
      waiting: this.#tables.exist ? this.#outbox.count() : 0,
      problem: this.#problem,
      active: [...this.#alerts().values()].map((alert) => ({
        rule: alert.rule,
        labels: labelsOf(alert),
        annotations: annotationsOf(alert),
        phase: alert.state.phase,
        activeAt: alert.state.activeAt,
        value: alert.value,
      })),
      rules: this.#configuration.rules().flatMap(({ id, enabled, ...rule }) => {
        const { kind, severity, labels } = rule;
        const forSeconds = secondsOf(rule.for);
        return enabled ? [{ id, kind, expression: expressionOf(rule), forSeconds, severity, labels }] : [];
      }),
      failing: this.#configuration
        .targets()
        .filter(({ target, status }) => target.enabled && status.failingSince !== null)
        .map(({ id, status }) => ({ id, since: status.failingSince!, answer: status.lastAnswer ?? "" })),
    };
  }

  /** `origin` is the address under which people reach the collector. */
  putRule(id: string, rule: Rule, origin: string): void {
    this.#change(() => this.#configuration.putRule(id, rule), origin);
  }

  /** False if there was none. */
  deleteRule(id: string): boolean {
    return this.#change(() => this.#configuration.deleteRule(id));
  }

  /**
   * Secrets that are left out stay as they are, as long as the type does.
   *
   * @returns the name of a secret that is missing; then nothing is changed
   */
  putTarget(id: string, target: PublicTarget, given: Secrets, origin: string): { missing?: string } {
    const known = this.#configuration.target(id);
    const secrets = known?.target.type === target.type ? { ...known.secrets, ...given } : given;
    const missing = missingSecret(target, secrets);
    if (missing !== undefined) return { missing };
    this.#change(() => {
      this.#configuration.putTarget(id, target, secrets);
      this.#outbox.hurry(id, Date.now());
    }, origin);
    return {};
  }

  deleteTarget(id: string): boolean {
    return this.#change(() => {
      if (this.#tables.exist) this.#outbox.removeTarget(id);
      return this.#configuration.deleteTarget(id);
    });
  }

  /** Sends a sample. Null if there is no such target. */
  async testTarget(id: string): Promise<Sent | null> {
    const found = this.#configuration.target(id);
    if (!found) return null;
    const { target, secrets } = found;
    const now = Math.floor(Date.now() / 1000);
    const message = sampleMessage(id, now, this.#origin());
    const sent = await send(message, target, secrets, this.env, now);
    setStatus(this.#configuration, id, sent, Date.now());
    return sent;
  }

  putSilence(id: string, silence: Silence): void {
    this.#change(() => this.#configuration.putSilence(id, silence));
  }

  deleteSilence(id: string): boolean {
    return this.#change(() => this.#configuration.deleteSilence(id));
  }

  /** False if there is no such alert. */
  acknowledge(id: string, by: string, note: string): boolean {
    const alert = [...this.#alerts().values()].find((one) => one.id === id);
    if (!alert) return false;
    const at = Math.floor(Date.now() / 1000);
    this.ctx.storage.transactionSync(() => {
      this.#alertRows.put(alert.key, { ...alert, acknowledged: { at, by, note } });
      this.#history.addEvent(eventOf(alert, "acknowledged", at));
    });
    return true;
  }

  /** Evaluates and delivers. Never throws, because the platform drops an alarm that keeps throwing. */
  override async alarm(): Promise<void> {
    this.#alarm.rang();
    if (!this.#isNeeded()) return;
    // Before anything else, so that a kill cannot leave the object without an alarm.
    this.#alarm.schedule(nextEvaluation(Date.now()), Date.now());
    try {
      await this.#evaluateNow();
    } catch (error) {
      logError("alerts_failed", error);
      this.#calls.reload();
      this.#problem = String(error);
    }
    try {
      await Promise.all([deliverDue(this.#parts()), this.#sendAgain()]);
    } catch (error) {
      logError("alerts_failed", error);
    }
    const now = Date.now();
    const due = this.#outbox.nextDue();
    const next = this.#isNeeded() ? nextEvaluation(now) : due;
    this.#alarm.schedule(
      next === null || due === null ? next : Math.min(next, Math.max(due, now + 1_000)),
      now,
    );
  }

  /** Reads, judges, and stores what follows. */
  async #evaluateNow(): Promise<void> {
    const now = Math.floor(Date.now() / 1000 / MINUTE) * MINUTE;
    this.#calls.load();
    // A kill between two minutes that were missed must not judge the first of them again.
    const evaluatedAt = Math.max(
      this.#calls.evaluatedAt,
      (this.#configuration.setting("judgedAt") as number | undefined) ?? 0,
    );
    if (now <= evaluatedAt && now > evaluatedAt - CLOCK_TURNED) return;
    let followings: Followings;
    try {
      const rules = this.#configuration.rules();
      followings = await follow(this.env, this.#calls, rules, this.#alerts(), this.#slower(), now);
    } catch (error) {
      this.#calls.reload();
      logError("alerts_unknown", error);
      this.#problem = String(error);
      this.#commit(evaluateUnknown(this.#alerts(), now), now);
      return;
    }
    this.#problem = null;
    // From here on nothing waits, so rules, alerts and calls fit together.
    const first = evaluatedAt === 0 || evaluatedAt > now ? now : evaluatedAt + MINUTE;
    for (let at = Math.max(first, now - (JUDGED_AT_ONCE - 1) * MINUTE); at <= now; at += MINUTE) {
      this.#evaluateAt(at, now, followings);
    }
  }

  #evaluateAt(at: number, now: number, { from, settledUntil, slower }: Followings): void {
    const rules = this.#configuration.rules();
    const resumed = new Map(this.#configuration.setting("resumed") as [string, number][] | undefined);
    const before = resumed.size;
    const functions = judgedAt(this.#calls, slower, at);
    const evaluation = evaluate({ rules, functions, alerts: this.#alerts(), resumed }, at);
    this.#unknown = evaluation.unknown;
    this.#commit(evaluation, at, () => {
      if (resumed.size !== before || evaluation.steps.length > 0) {
        this.#configuration.putSetting(
          "resumed",
          [...resumed].filter(([, time]) => time > at - 2 * 86_400),
        );
      }
      if (at < now) {
        if (evaluation.steps.length > 0) this.#configuration.putSetting("judgedAt", at);
        return;
      }
      if (slower && slower.quarter !== this.#slower()?.quarter)
        this.#configuration.putSetting("slower", slower);
      this.#calls.save(from, settledUntil, at, now);
    });
  }

  /** Stores alerts, their history and the messages about them: all or nothing. */
  #commit(evaluation: Evaluation, now: number, more: () => void = () => {}): void {
    const { steps, alerts } = evaluation;
    const ended = steps.flatMap(({ before, after }) => (before && !after ? [before] : []));
    const { messages, told } = planMessages(
      {
        targets: this.#configuration.targets(),
        silences: this.#configuration.silences().map(({ value }) => value),
        alerts: alerts.values(),
        ended: ended.filter(({ state }) => isFiring(state)),
        origin: this.#origin(),
      },
      now,
      () => `msg_${crypto.randomUUID()}`,
    );
    const changed = new Map(steps.flatMap(({ after }) => (after ? [[after.key, after]] : [])));
    for (const alert of told) changed.set(alert.key, alert);
    this.ctx.storage.transactionSync(() => {
      for (const { key } of ended) this.#alertRows.delete(key);
      for (const [key, alert] of changed) this.#alertRows.put(key, alert);
      for (const step of steps) this.#note(step, now);
      for (const message of messages) this.#outbox.add(message, Date.now());
      more();
    });
  }

  #note({ before, after, change }: Step, now: number): void {
    const alert = (after ?? before)!;
    const isMinor = (change === "unknown" || change === "known") && !isFiring(alert.state);
    if (!TOLD_CHANGES.has(change) || isMinor) return;
    this.#history.addEvent(eventOf(alert, change, now));
    log("alert", { change, rule: alert.rule, service: alert.service, function: alert.function });
  }

  /** What is told at each evaluation without being stored: firing alerts to Alertmanagers, and that we live to heartbeats. */
  async #sendAgain(): Promise<void> {
    const now = Math.floor(Date.now() / 1000);
    const env = this.env;
    const isAlive = this.#problem === null && this.#calls.evaluatedAt >= now - 2 * MINUTE;
    const firing = [...this.#alerts().values()].filter(({ state }) => isFiring(state));
    await Promise.all(
      this.#configuration.targets().map(async ({ id, target, secrets }) => {
        if (!target.enabled) return;
        if (target.type === "heartbeat") {
          if (!isAlive) return;
          const sent = await post({ url: secrets.url!, headers: {}, body: "" }, env);
          setStatus(this.#configuration, id, sent, Date.now());
        } else if (target.type === "alertmanager") {
          // Those of this evaluation are in the outbox.
          const told = firing.filter((alert) => (alert.told[id] ?? now) < this.#calls.evaluatedAt);
          if (told.length === 0) return;
          const message: Message = { ...emptyMessage(id, now, this.#origin()), firing: told };
          const sent = await send(message, target, secrets, env, now);
          setStatus(this.#configuration, id, sent, Date.now());
        }
      }),
    );
  }

  /** Runs a change of what people set, and makes sure that the alarm fits it. */
  #change<Result>(write: () => Result, origin?: string): Result {
    this.#tables.create();
    const wasNeeded = this.#isNeeded();
    const result = this.ctx.storage.transactionSync(() => {
      const written = write();
      if (origin !== undefined && origin !== this.#origin()) this.#configuration.putSetting("origin", origin);
      return written;
    });
    const now = Date.now();
    const isNeeded = this.#isNeeded();
    if (isNeeded && !wasNeeded) this.#configuration.putSetting("activeSince", Math.floor(now / 1000));
    // Nobody would end them.
    if (!isNeeded) for (const key of this.#alerts().keys()) this.#alertRows.delete(key);
    this.#alarm.schedule(isNeeded ? nextEvaluation(now) : null, now);
    return result;
  }

  /** Whether anything must be evaluated: there is a rule of somebody's, a target, or an alert that must end. */
  #isNeeded(): boolean {
    if (!this.#tables.exist) return false;
    return (
      this.#configuration.ownRules().some(({ enabled }) => enabled) ||
      this.#configuration.targets().some(({ target }) => target.enabled) ||
      this.#outbox.count() > 0
    );
  }

  #alerts(): ReadonlyMap<string, Alert> {
    if (!this.#tables.exist) return new Map();
    return new Map(this.#alertRows.all().map(({ id, value }) => [id, value]));
  }

  #slower(): SlowerOfQuarter | undefined {
    return this.#configuration.setting("slower") as SlowerOfQuarter | undefined;
  }

  #origin(): string {
    return (this.#configuration.setting("origin") as string | undefined) ?? "";
  }

  #parts(): DeliveryParts {
    return {
      configuration: this.#configuration,
      history: this.#history,
      outbox: this.#outbox,
      env: this.env,
    };
  }
}

/** The next time, in epoch milliseconds, that is some seconds after a whole minute. */
function nextEvaluation(nowMs: number): number {
  return (Math.floor((nowMs - AFTER_MINUTE_MS) / 60_000) + 1) * 60_000 + AFTER_MINUTE_MS;
}

function emptyMessage(target: string, now: number, origin: string): Message {
  return {
    id: `again_${now}_${target}`,
    kind: "firing",
    service: "",
    at: now,
    firing: [],
    over: [],
    stillFiring: [],
    origin,
  };
}
