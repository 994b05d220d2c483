/** The message that `POST /alerts/targets/:id/test` sends: one alert that fires, of a function that does not exist. */
import { alertId, alertKey } from "./alert.ts";
import type { Message } from "./notify/message.ts";

export function sampleMessage(target: string, now: number, origin: string): Message {
  const id = { service: "sample", module: "", function: "checkout" };
  const key = alertKey("test", "", id);
  return {
    id: `test_${now}_${target}`,
    kind: "test",
    service: id.service,
    at: now,
    firing: [
      {
        ...id,
        key,
        id: alertId(key),
        rule: "test",
        part: "",
        name: "Test",
        severity: "info",
        labels: {},
        runbook: null,
        state: { phase: "firing", activeAt: now, firedAt: now, recoveringSince: null, unknownSince: null },
        value: 0.5,
        sentence: "This is a test. Nothing is wrong.",
        changedAt: now,
        told: {},
        acknowledged: null,
      },
    ],
    over: [],
    stillFiring: [],
    origin,
  };
}
