/** Measures a generator to its end: its last value, an early `break` or `return`, or an error. */
import type { Call } from "./call.ts";
import { override } from "./override.ts";

type Step = IteratorResult<unknown>;
type End = (result: unknown) => void;

/** Works in place, for sync and async generators. `onStart` is called when somebody begins to iterate. */
export function watchGenerator<T extends object>(
  generator: T,
  call: Call,
  onStart: () => void,
  onEnd: End,
): T {
  const see = (step: Step): Step => {
    if (step.done) onEnd(step.value);
    return step;
  };
  const fail = (error: unknown): never => {
    call.fail(error);
    throw error;
  };
  for (const key of ["next", "return", "throw"]) {
    override(generator, key, (generator as Record<string, Function>)[key]!, (original, args) => {
      onStart();
      try {
        const step = original(...args) as Step & Partial<Promise<Step>>;
        return step.then?.(see, fail) ?? see(step);
      } catch (error) {
        return fail(error);
      }
    });
  }
  return generator;
}
