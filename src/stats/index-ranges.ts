/** Ranges of indexes: places of samples in a batch, in a short form. */

/** The first and the last index of each range, ascending. Not pairs, because types of RPC do not know them. */
export type IndexRanges = number[][];

/** Adds an index that is above all others. */
export function addIndex(ranges: IndexRanges, index: number): void {
  const last = ranges.at(-1);
  if (last && last[1] === index - 1) last[1] = index;
  else ranges.push([index, index]);
}

/** @param indexes ascending */
export function rangesOf(indexes: Iterable<number>): IndexRanges {
  const ranges: IndexRanges = [];
  for (const index of indexes) addIndex(ranges, index);
  return ranges;
}
