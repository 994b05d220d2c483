/** Remembers the latest delta of each function in a batch, so that further plain calls can be added to it. */
import type { Delta } from "../stats/delta.ts";

interface Latest {
  name: string;
  module: unknown;
  delta: Delta;
}

/** The number of different results of `endingOf`. A power of 2, because `endingOf` uses it for a bit mask. */
const ENDINGS = 64;

/** Looks up by the names as the sender wrote them, which saves normalising them again. */
export class LatestDeltas {
  readonly #byName = new Map<string, Latest>();
  /**
   * For each ending, the function that was looked up last. `JSON.parse` makes every name a new string, which a `Map` must
   * hash. Comparing it with the likely name first halves the time that summing takes.
   */
  readonly #byEnding = Array<Latest | undefined>(ENDINGS);

  /** Undefined if the name is new, or if its latest delta is of another module. */
  get(name: string, module: unknown): Delta | undefined {
    const ending = endingOf(name);
    const likely = this.#byEnding[ending];
    const latest = likely?.name === name ? likely : (this.#byEnding[ending] = this.#byName.get(name));
    return latest?.module === module ? latest?.delta : undefined;
  }

  set(name: string, module: unknown, delta: Delta): void {
    const latest = { name, module, delta };
    this.#byName.set(name, latest);
    this.#byEnding[endingOf(name)] = latest;
  }
}

/** A number from 0 to ENDINGS - 1 that depends on the last two characters. It is 0 if there are fewer. */
function endingOf(name: string): number {
  return (name.charCodeAt(name.length - 1) + 3 * name.charCodeAt(name.length - 2)) & (ENDINGS - 1);
}
