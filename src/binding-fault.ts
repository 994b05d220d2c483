/** Faults of what the Worker leans on, told apart from bugs of its own. */

export type Binding = "The buffer" | "D1";

/** What a binding was asked for did not come. It may, later. */
export class BindingFault extends Error {
  override name = "BindingFault";
  readonly binding: Binding;

  constructor(binding: Binding, cause: unknown) {
    super(`${binding} did not answer: ${String(cause)}`, { cause });
    this.binding = binding;
  }
}

/** Asks a binding, so that what it throws is known to be its fault. @throws {BindingFault} */
export async function callBinding<Answer>(
  binding: Binding,
  question: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await question();
  } catch (error) {
    throw isBug(error) ? error : new BindingFault(binding, error);
  }
}

/** What no waiting heals: code or SQL that is wrong, here or in the buffer. */
function isBug(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isOurs = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  return isOurs || /\bSQLITE_(ERROR|CONSTRAINT|MISMATCH)/.test(error.message) || isBug(error.cause);
}
