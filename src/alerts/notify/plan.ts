/**
 * Decides who is told what after an evaluation. Pure: its result is stored together with the alerts, so that nothing is told
 * that is not stored, and nothing stored that is not told.
 */
import type { Alert } from "../alert.ts";
import { secondsOf } from "../rule.ts";
import { matchesSelector } from "../selector.ts";
import { isSilenced, type Silence } from "../silence.ts";
import { isFiring } from "../state.ts";
import type { PublicTarget } from "../target.ts";
import type { Message } from "./message.ts";

export interface Planned {
  target: string;
  /** Messages of one lane are delivered one after the other, so that no end overtakes its beginning. */
  lane: string;
  message: Message;
}

export interface Situation {
  targets: readonly { id: string; target: PublicTarget }[];
  silences: readonly Silence[];
  /** Those that are pending, firing or recovering now. */
  alerts: Iterable<Alert>;
  /** Those that just ended. */
  ended: readonly Alert[];
  origin: string;
}

/**
 * @param now epoch seconds
 * @param newId gives an id that no other message has
 * @returns the messages, and the alerts that changed because somebody is told
 */
export function planMessages(
  { targets, silences, alerts, ended, origin }: Situation,
  now: number,
  newId: () => string,
): { messages: Planned[]; told: Alert[] } {
  const current = new Map(
    [...alerts].filter(({ state }) => isFiring(state)).map((alert) => [alert.key, alert]),
  );
  const told = new Map<string, Alert>();
  const messages: Planned[] = [];
  for (const { id: target, target: options } of targets) {
    if (!options.enabled || options.type === "heartbeat") continue;
    const accepts = (alert: Alert) =>
      options.severities.includes(alert.severity) && matchesSelector(options.selector, alert);
    const lanes = new Map<string, Pick<Message, "firing" | "over"> & { repeat: Alert[] }>();
    const laneOf = (alert: Alert) => {
      const lane = `${target}\n${alert.service}\n${alert.severity}`;
      const known = lanes.get(lane) ?? { firing: [], over: [], repeat: [] };
      lanes.set(lane, known);
      return known;
    };
    for (const { key } of current.values()) {
      const alert = told.get(key) ?? current.get(key)!;
      if (!accepts(alert) || isSilenced(alert, silences, now)) continue;
      const toldAt = alert.told[target];
      if (toldAt !== undefined && !isDueAgain(alert, options.repeat, toldAt, now)) continue;
      laneOf(alert)[toldAt === undefined ? "firing" : "repeat"].push(alert);
      told.set(key, { ...alert, told: { ...alert.told, [target]: now } });
    }
    for (const alert of ended) if (alert.told[target] !== undefined) laneOf(alert).over.push(alert);
    for (const [lane, { firing, over, repeat }] of lanes) {
      const service = [...firing, ...over, ...repeat][0]!.service;
      const stillFiring = [...current.values()].filter(
        (alert) => alert.service === service && (told.get(alert.key) ?? alert).told[target] !== undefined,
      );
      const add = (kind: Message["kind"], content: Pick<Message, "firing" | "over">) =>
        messages.push({
          target,
          lane,
          message: {
            id: newId(),
            kind,
            service,
            at: now,
            ...content,
            stillFiring: [...new Set(stillFiring.map(({ rule }) => rule))],
            origin,
          },
        });
      if (firing.length + over.length > 0) add(firing.length > 0 ? "firing" : "over", { firing, over });
      if (repeat.length > 0) add("repeat", { firing: repeat, over: [] });
    }
  }
  return { messages, told: [...told.values()] };
}

function isDueAgain(alert: Alert, repeat: string | undefined, toldAt: number, now: number): boolean {
  return (
    repeat !== undefined &&
    alert.acknowledged === null &&
    alert.state.phase === "firing" &&
    now - toldAt >= secondsOf(repeat)
  );
}
