/** Finds the Durable Objects that buffer batches. There is one. Only this file decides how many there are and which is used. */
import { callBinding } from "../call-binding.ts";
import type { MetricsBuffer } from "./metrics-buffer.ts";

type Binding = Pick<Env, "BUFFER">;

/**
 * WARNING: another name is another Durable Object. Flushes of the old one would still reach D1, but reads would miss its
 * calls until then.
 */
const ONLY_BUFFER = "singleton";

/** The buffer that takes all batches of a service. */
export function bufferFor(env: Binding, _service: string): DurableObjectStub<MetricsBuffer> {
  return bufferNamed(env, ONLY_BUFFER);
}

/** Every buffer that takes batches. An exact read must include all of them. */
export function allBuffers(env: Binding): DurableObjectStub<MetricsBuffer>[] {
  return [bufferNamed(env, ONLY_BUFFER)];
}

/** Calls all buffers concurrently. Returns their answers in the order of `allBuffers`. @throws {BindingFault} if one fails */
export function callAllBuffers<Answer>(
  env: Binding,
  call: (buffer: DurableObjectStub<MetricsBuffer>) => Promise<Answer>,
): Promise<Answer[]> {
  return callBinding("The buffer", () => Promise.all(allBuffers(env).map(call)));
}

/** The buffer that sealed a flush, by the name in the flush. */
export function bufferNamed(env: Binding, name: string): DurableObjectStub<MetricsBuffer> {
  return env.BUFFER.getByName(name);
}
