/** The latest delta of each name in a batch, as the name was sent: what further plain calls of it are added to. */
import type { Delta } from "../../stats/delta.ts";

interface Latest {
  name: string;
  module: unknown;
  delta: Delta;
}

const ENDINGS = 64;

export class LatestDeltas {
  readonly #byName = new Map<string, Latest>();
  /**
   * The one last asked for of those that end alike. JSON makes every name a new string, which a map must hash: to compare
   * it with the likely one instead halves what summing costs.
   */
  readonly #byEnding = Array<Latest | undefined>(ENDINGS);

  /** Undefined for a name that is new, and for one of another module. */
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

/** From 0 to ENDINGS - 1. */
function endingOf(name: string): number {
  return (name.charCodeAt(name.length - 1) + 3 * name.charCodeAt(name.length - 2)) % ENDINGS || 0;
}
