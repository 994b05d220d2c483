/** Calls the buffer or D1, and tells their faults apart from bugs in this code. */
import { type Binding, BindingFault, RefusedError } from "./errors.ts";
import { refusalOf } from "./refusal.ts";

/**
 * @throws {BindingFault} if the binding fails; a bug is thrown as it is
 * @throws {RefusedError} if D1 lacks a table or a column, or if a daily limit is reached
 */
export async function callBinding<Answer>(binding: Binding, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal?.cause === "limit" || (refusal && binding === "D1")) {
      throw new RefusedError(binding, refusal, error);
    }
    throw isBug(error) ? error : new BindingFault(binding, error);
  }
}

/** Whether a retry cannot help, because code or SQL is wrong, in this Worker or in the buffer. */
function isBug(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isOurs = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  return isOurs || /\bSQLITE_(ERROR|CONSTRAINT|MISMATCH)/.test(error.message) || isBug(error.cause);
}
