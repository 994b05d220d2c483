/** Which Durable Object is the buffer. */
import type { MetricsBuffer } from "./metrics-buffer.ts";

// WARNING: another name is another buffer. What the old one holds would still reach D1, but reads would not see it
// until then.
const SINGLETON = "singleton";

/** The one buffer. A flush names the buffer that sealed it, so nothing but this function knows that there is one. */
export function theBuffer(env: Pick<Env, "BUFFER">): DurableObjectStub<MetricsBuffer> {
  return env.BUFFER.getByName(SINGLETON);
}
