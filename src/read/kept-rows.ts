/**
 * Rows of D1 that are kept in memory, and flushes that are added to them after they were read. Knows which rows there are,
 * and nothing of where they come from.
 */
import type { Delta } from "../stats/delta.ts";
import { idOf, isSelected, seriesKey } from "../stats/series-id.ts";
import { sumOf } from "../stats/sums.ts";
import { MINUTE } from "../stats/tiers.ts";
import type { SeenFailure } from "../stats/failures.ts";
import type { Named, StoredTotals } from "../store/read-functions.ts";
import type { Tile } from "../store/read-rollups.ts";
import { BLOCK_LENGTHS, type BlockKind, blocksOf, type Segment } from "./blocks.ts";
import type { SealedFlush } from "./snapshot.ts";

/** The rollups of one function in one block. */
interface Block {
  tiles: Tile[];
  usedAt: number;
}

interface KeptFunction {
  row: StoredTotals;
  /** Undefined if they must be read. */
  failures: SeenFailure[] | undefined;
  blocks: Record<BlockKind, Map<number, Block>>;
}

/** A block that is not kept, for some functions. */
export interface Missing {
  kind: BlockKind;
  /** The first block and the end of the last one. */
  from: number;
  to: number;
  ids: number[];
}

export class KeptRows {
  #functions: Map<string, KeptFunction> | undefined;
  #tiles = 0;

  /** Undefined if they must be read. */
  get functions(): StoredTotals[] | undefined {
    return this.#functions && Array.from(this.#functions.values(), ({ row }) => row);
  }

  get tiles(): number {
    return this.#tiles;
  }

  /**
   * Sets the list of functions, or compares it with the one that is kept. False if they differ. Then D1 has changed otherwise
   * than by flushes, and nothing that is kept may be used.
   */
  setFunctions(rows: readonly StoredTotals[]): boolean {
    const known = this.#functions;
    if (known)
      return rows.length === known.size && rows.every((row) => isEqual(row, known.get(seriesKey(row))?.row));
    this.#functions = new Map(
      rows.map((row) => [seriesKey(row), { row, failures: undefined, blocks: noBlocks() }]),
    );
    this.#tiles = 0;
    return true;
  }

  /** The failures of the functions of this name, in all modules. */
  setFailures(name: Named, failures: readonly (SeenFailure & { functionId: number })[]): void {
    for (const known of this.#named(name)) {
      known.failures = failures.filter(({ functionId }) => functionId === known.row.id);
    }
  }

  hasFailures(name: Named): boolean {
    return this.#named(name).every(({ failures }) => failures !== undefined);
  }

  failuresOf(row: StoredTotals): SeenFailure[] {
    return this.#functions?.get(seriesKey(row))?.failures ?? [];
  }

  #named({ service, module, function: name }: Named): KeptFunction[] {
    return [...(this.#functions?.values() ?? [])].filter(({ row }) =>
      isSelected({ service, module, function: name }, row),
    );
  }

  /** The blocks that the segments need and that are not kept. Neighbours are joined. */
  missing(functions: readonly StoredTotals[], segments: readonly Segment[], now: number): Missing[] {
    const runs = new Map<string, Missing>();
    for (const row of functions) {
      const { blocks } = this.#functions!.get(seriesKey(row))!;
      for (const segment of segments) {
        const { kind } = segment;
        const absent = blocksOf(segment).filter((start) => {
          const block = blocks[kind].get(start);
          if (block) block.usedAt = now;
          return !block;
        });
        for (const run of joined(absent, BLOCK_LENGTHS[kind])) {
          const key = `${kind} ${run.from} ${run.to}`;
          const known = runs.get(key);
          if (!known) runs.set(key, { kind, ...run, ids: [row.id] });
          else if (known.ids.at(-1) !== row.id) known.ids.push(row.id);
        }
      }
    }
    return [...runs.values()];
  }

  /** Keeps blocks that were read. `tiles` are all rollups in the missing blocks. */
  add({ kind, from, to, ids }: Missing, tiles: readonly Tile[], now: number): void {
    const own = Map.groupBy(tiles, ({ functionId }) => functionId);
    const length = BLOCK_LENGTHS[kind];
    const asked = new Set(ids);
    for (const kept of this.#functions?.values() ?? []) {
      if (!asked.has(kept.row.id)) continue;
      for (let start = from; start < to; start += length)
        kept.blocks[kind].set(start, { tiles: [], usedAt: now });
      for (const tile of own.get(kept.row.id) ?? []) {
        kept.blocks[kind].get(from + Math.floor((tile.start - from) / length) * length)!.tiles.push(tile);
        this.#tiles++;
      }
    }
  }

  /** The rollups of a function in the segments, whose blocks are all kept. */
  tilesOf(row: StoredTotals, segments: readonly Segment[]): Tile[] {
    const { blocks } = this.#functions!.get(seriesKey(row))!;
    return segments.flatMap((segment) =>
      blocksOf(segment).flatMap((start) =>
        blocks[segment.kind]
          .get(start)!
          .tiles.filter((tile) => tile.start >= segment.from && tile.start < segment.to),
      ),
    );
  }

  /** Adds a flush that D1 has applied since the rows were read. */
  apply({ deltas, deletion }: SealedFlush): void {
    if (!this.#functions) return;
    if (deletion) {
      for (const [key, { row }] of this.#functions) {
        if (isSelected(deletion, row)) this.#functions.delete(key);
      }
      this.#count();
      return;
    }
    for (const delta of deltas) {
      const known = this.#functions.get(seriesKey(delta));
      if (!known) {
        // D1 has a new function, under an id that only D1 knows.
        this.#functions = undefined;
        this.#tiles = 0;
        return;
      }
      this.#applyTo(known, delta);
    }
  }

  #applyTo(known: KeptFunction, delta: Delta): void {
    const { row } = known;
    if (delta.failures.length > 0) known.failures = undefined;
    known.row = {
      ...idOf(row),
      id: row.id,
      ...sumOf([row, delta]),
      firstSeen: Math.min(row.firstSeen, delta.firstSeen),
      lastSeen: Math.max(row.lastSeen, delta.lastSeen),
    };
    for (const kind of KINDS) {
      const block = known.blocks[kind].get(startOf(kind, delta.minute));
      if (!block) continue;
      block.tiles.push({ ...delta, functionId: row.id, start: delta.minute, resolution: MINUTE });
      this.#tiles++;
    }
  }

  /** Drops blocks that were not used since, the longest unused first, until at most so many rollups are kept. */
  shrink(most: number, usedSince: number): void {
    if (this.#tiles <= most) return;
    const unused = [...(this.#functions?.values() ?? [])]
      .flatMap(({ blocks }) =>
        KINDS.flatMap((kind) => Array.from(blocks[kind], (entry) => ({ kind, blocks, entry }))),
      )
      .filter(({ entry }) => entry[1].usedAt < usedSince)
      .sort((a, b) => a.entry[1].usedAt - b.entry[1].usedAt);
    for (const { kind, blocks, entry } of unused) {
      if (this.#tiles <= most) return;
      blocks[kind].delete(entry[0]);
      this.#tiles -= entry[1].tiles.length;
    }
  }

  #count(): void {
    this.#tiles = 0;
    for (const { blocks } of this.#functions!.values()) {
      for (const kind of KINDS) for (const { tiles } of blocks[kind].values()) this.#tiles += tiles.length;
    }
  }
}

const KINDS = Object.keys(BLOCK_LENGTHS) as BlockKind[];

const isEqual = (a: StoredTotals, b: StoredTotals | undefined): boolean =>
  b !== undefined &&
  a.id === b.id &&
  a.calls === b.calls &&
  a.errors === b.errors &&
  a.unmeasured === b.unmeasured &&
  a.sumUs === b.sumUs;

const noBlocks = (): KeptFunction["blocks"] => ({ minutes: new Map(), hours: new Map(), days: new Map() });

const startOf = (kind: BlockKind, second: number): number =>
  Math.floor(second / BLOCK_LENGTHS[kind]) * BLOCK_LENGTHS[kind];

/** Joins blocks that follow each other. */
function joined(starts: readonly number[], length: number): { from: number; to: number }[] {
  const runs: { from: number; to: number }[] = [];
  for (const start of starts) {
    const last = runs.at(-1);
    if (last && start <= last.to) last.to = Math.max(last.to, start + length);
    else runs.push({ from: start, to: start + length });
  }
  return runs;
}
