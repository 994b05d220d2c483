/** Calls a binding, so that its faults can be told from bugs of this Worker. */
import { type Binding, BindingFault } from "./errors.ts";

/** @throws {BindingFault} if the binding fails; a bug is thrown as it is */
export async function callBinding<Answer>(binding: Binding, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    throw isBug(error) ? error : new BindingFault(binding, error);
  }
}

/** Whether waiting cannot help, because code or SQL is wrong, here or in the buffer. */
function isBug(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isOurs = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  return isOurs || /\bSQLITE_(ERROR|CONSTRAINT|MISMATCH)/.test(error.message) || isBug(error.cause);
}
