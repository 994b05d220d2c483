/** Calls the buffer or D1, and tells their faults apart from bugs in this code. */
import { type Binding, BindingFault, ConfigurationError } from "./errors.ts";

/**
 * @throws {BindingFault} if the binding fails; a bug is thrown as it is
 * @throws {ConfigurationError} if D1 lacks a table or a column
 */
export async function callBinding<Answer>(binding: Binding, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    const missing =
      binding === "D1" ? /no such (?:table|column): [\w.]+/.exec(String(error))?.[0] : undefined;
    if (missing !== undefined) throw notMigrated(missing);
    throw isBug(error) ? error : new BindingFault(binding, error);
  }
}

function notMigrated(missing: string): ConfigurationError {
  return new ConfigurationError(
    `D1 says "${missing}": its migrations are not applied, or it was emptied. ` +
      "Apply them with: npx wrangler d1 migrations apply DB --remote (or --local).",
  );
}

/** Whether a retry cannot help, because code or SQL is wrong, in this Worker or in the buffer. */
function isBug(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isOurs = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  return isOurs || /\bSQLITE_(ERROR|CONSTRAINT|MISMATCH)/.test(error.message) || isBug(error.cause);
}
