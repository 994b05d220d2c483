/** Finds the Durable Object that evaluates rules. There is one. */
import { callBinding } from "../call-binding.ts";
import type { Alerts } from "./alerts.ts";

/** @throws {BindingFault} */
export function callAlerts<Answer>(
  env: Pick<Env, "ALERTS">,
  call: (alerts: DurableObjectStub<Alerts>) => Promise<Answer>,
): Promise<Answer> {
  return callBinding("The object of alerts", () => call(env.ALERTS.getByName("singleton")));
}
