/** Generators, sync and async: the call ends where they do. */
import { override } from "./override.ts";
import type { Call } from "./settle.ts";

type Step = IteratorResult<unknown>;

/** Sees a generator's last value, an early `break` or `return`, an error. One that nobody iterates never ends. */
export function watchGenerator<T extends object>(generator: T, call: Call): T {
  const see = (step: Step): Step => {
    if (step.done) call.end(step.value);
    return step;
  };
  for (const method of ["next", "return", "throw"]) {
    override(generator, method, call, (original, ...args) => {
      const step = original(...args) as Step & Partial<Promise<Step>>;
      return step.then?.(see, call.fail) ?? see(step);
    });
  }
  return generator;
}
