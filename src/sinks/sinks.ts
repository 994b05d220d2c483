/** Finds the objects of sinks. There is one for each sink, by the sink's name. */
import { callBinding } from "../call-binding.ts";
import { logError } from "../log.ts";
import type { SinkSender } from "./sink-sender.ts";

type Binding = Pick<Env, "SINKS">;

/** @throws {BindingFault} */
export function callSink<Answer>(
  env: Binding,
  name: string,
  call: (sink: DurableObjectStub<SinkSender>) => Promise<Answer>,
): Promise<Answer> {
  return callBinding("The sink", () => call(env.SINKS.getByName(name)));
}

/** Tells sinks that there is something to send. Never throws: a sink looks by itself within the hour. */
export async function wakeSinks(env: Binding, names: readonly string[]): Promise<void> {
  await Promise.all(
    names.map(async (name) => {
      try {
        await callSink(env, name, async (sink) => await sink.wake());
      } catch (error) {
        logError("sink_not_woken", error, { sink: name });
      }
    }),
  );
}
