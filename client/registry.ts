/** The functions of one collector, and the minute that their calls fall into. */
import type { Tell } from "./report.ts";
import type { State } from "./state.ts";
import { createRecorder, type Recorder } from "./recorder.ts";
import { NAME_LENGTH } from "./limits.ts";
import { tidy } from "./failure.ts";
import type { CollectorOptions } from "./options.ts";

const OVERFLOW = "__overflow__";

/** Gives what finds the recorder of a function by its name and module. */
export function createRegistry(
  { maxFunctions = 1_000 }: CollectorOptions,
  state: State,
  tell: Tell,
): (name?: string, module?: string) => Recorder {
  const recorders = new Map<string, Recorder>();
  /** Past the cap, it is the one that all further functions share. */
  const find = (name?: string, module?: string): Recorder => {
    const identity = { function: tidy(name, NAME_LENGTH, "function"), module: tidy(module, NAME_LENGTH) };
    const key = JSON.stringify(identity);
    let recorder = recorders.get(key);
    if (!recorder) {
      if (recorders.size >= maxFunctions && name !== OVERFLOW) {
        void tell(OVERFLOW, `more than ${maxFunctions} functions: ${OVERFLOW}`);
        return find(OVERFLOW);
      }
      recorder = createRecorder(state, identity);
      recorders.set(key, recorder);
    }
    return recorder;
  };

  return find;
}
