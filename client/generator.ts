/** Generators, sync and async: the call ends where they do. */
import { override } from "./thenable.ts";
import type { Call } from "./settle.ts";

type Step = IteratorResult<unknown>;

/** Sees a generator's last value, an early `break` or `return`, an error. One that nobody iterates never ends. */
export function watchGenerator<T extends object>(generator: T, call: Call): T {
  const see = (step: Step): Step => {
    if (step.done) call.end(step.value);
    return step;
  };
  for (const method of ["next", "return", "throw"]) {
    const original = (generator as Record<string, Function>)[method]!;
    override(generator, method, function (this: unknown, ...args: unknown[]) {
      let step: Step | Promise<Step>;
      try {
        step = original.apply(this, args) as typeof step;
      } catch (error) {
        call.fail(error);
      }
      return step instanceof Promise ? step.then(see, call.fail) : see(step);
    });
  }
  return generator;
}
