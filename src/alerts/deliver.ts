/** Delivers the messages that are due. Each stays in the outbox until its target has taken it or refuses it for good. */
import { log } from "../log.ts";
import type { Message } from "./notify/message.ts";
import { quietUntil } from "./notify/quiet-hours.ts";
import { send, type SendBindings, type Sent } from "./notify/send.ts";
import { severityOf } from "./notify/text.ts";
import type { AlertConfiguration, StoredTarget, TargetStatus } from "./storage/configuration.ts";
import type { AlertHistory, DeliveryEvent } from "./storage/history.ts";
import type { AlertOutbox, Waiting } from "./storage/outbox.ts";

export interface DeliveryParts {
  configuration: AlertConfiguration;
  history: AlertHistory;
  outbox: AlertOutbox;
  env: SendBindings;
}

/** Never throws for what a target does. */
export async function deliverDue(parts: DeliveryParts): Promise<void> {
  const { configuration, outbox } = parts;
  const now = Date.now();
  const targets = new Map(configuration.targets().map((target) => [target.id, target]));
  const sending: { waiting: Waiting; target: StoredTarget }[] = [];
  for (const waiting of outbox.due(now)) {
    const target = targets.get(waiting.target);
    if (!target) {
      outbox.remove(waiting.id);
      continue;
    }
    const until = heldUntil(target, waiting.message, now / 1000);
    if (until === undefined) sending.push({ waiting, target });
    else outbox.hold(waiting.id, until * 1000);
  }
  await Promise.all(
    sending.map(async ({ waiting, target }) => {
      const sent = await send(
        waiting.message,
        target.target,
        target.secrets,
        parts.env,
        Math.floor(Date.now() / 1000),
      );
      record(parts, waiting, sent);
    }),
  );
}

/** The end of the target's quiet hours, in epoch seconds, if the message can wait. */
function heldUntil({ target }: StoredTarget, message: Message, now: number): number | undefined {
  const { quietHours } = target;
  if (!quietHours || message.kind === "test" || quietHours.except.includes(severityOf(message)))
    return undefined;
  return quietUntil(quietHours, now);
}

/** WARNING: removes the message only after the target has taken it. A kill in between sends it again, under the same id. */
function record({ configuration, history, outbox }: DeliveryParts, waiting: Waiting, sent: Sent): void {
  const now = Date.now();
  let { result }: { result: DeliveryEvent["result"] } = sent;
  if (result === "retry") {
    if (!outbox.retry(waiting, now, sent.retryAfter)) result = "given up";
  } else outbox.remove(waiting.id);
  const { id, target, message } = waiting;
  // A target that is away for days would otherwise fill the history.
  if (result !== "retry" || waiting.attempts === 0) {
    history.addDelivery({
      at: Math.floor(now / 1000),
      target,
      message: id,
      kind: message.kind,
      service: message.service,
      alerts: [...message.firing, ...message.over].map((alert) => alert.id),
      result,
      attempts: waiting.attempts + 1,
      answer: sent.answer,
    });
  }
  setStatus(configuration, target, sent, now);
  if (result !== "delivered")
    log("alert_not_delivered", { target, message: id, result, answer: sent.answer });
}

/** Notes what a target answered. Writes nothing if that is what it answered before. */
export function setStatus(configuration: AlertConfiguration, id: string, sent: Sent, now: number): void {
  const known = configuration.target(id)?.status;
  if (!known) return;
  const at = Math.floor(now / 1000);
  const isDelivered = sent.result === "delivered";
  const failingSince = isDelivered ? null : (known.failingSince ?? at);
  const status: TargetStatus = { failingSince, lastAt: at, lastAnswer: sent.answer };
  const isSame = known.failingSince === failingSince && known.lastAnswer === sent.answer;
  if (!isSame || at - (known.lastAt ?? 0) > 3600) configuration.setStatus(id, status);
}
