/** Reads what the buffer says about itself. */
import { theBuffer } from "../buffer/buffers.ts";
import type { BufferHealth } from "../buffer/interface.ts";
import { callBinding } from "../call-binding.ts";

/** Reads a few rows of the buffer. @throws {BindingFault} */
export function readBufferHealth(env: Pick<Env, "BUFFER">): Promise<BufferHealth> {
  return callBinding("The buffer", async () => await theBuffer(env).health());
}
