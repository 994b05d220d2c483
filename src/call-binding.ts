/** Calls the buffer or D1, and tells their faults apart from bugs in this code. */
import { type Binding, BindingFault } from "./errors.ts";

/** @throws {BindingFault} if the binding fails; a bug is thrown as it is */
export async function callBinding<Answer>(binding: Binding, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    throw isBug(error) ? error : new BindingFault(binding, error);
  }
}

/** Whether a retry cannot help, because code or SQL is wrong, in this Worker or in the buffer. */
function isBug(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isOurs = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  return isOurs || /\bSQLITE_(ERROR|CONSTRAINT|MISMATCH)/.test(error.message) || isBug(error.cause);
}
