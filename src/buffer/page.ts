/** Reads the rows of a table in pages of a limited size, so that each page fits one RPC answer. */

export interface Page<Row> {
  rows: Row[];
  isLast: boolean;
}

/** A row of the table `outbox` or `pending`, by its key. */
interface Sized {
  key: number;
  bytes: number;
}

/**
 * The first rows, up to `maxBytes` in total. The first row is always included, even if it is larger.
 *
 * WARNING: do not leave the loop over an SQL cursor early instead. The cursor stays open until it is garbage-collected, and
 * locks the table: the next seal cannot drop it and fails. Every query here is read to its end.
 *
 * @param sizes all rows, in the order of their keys
 * @param read reads the rows up to and including a key
 */
export function takePage<Row>(
  sizes: readonly Sized[],
  maxBytes: number,
  read: (lastKey: number) => Row[],
): Page<Row> {
  let bytes = 0;
  let taken = 0;
  for (const size of sizes) {
    bytes += size.bytes;
    if (bytes > maxBytes && taken > 0) break;
    taken++;
  }
  const last = sizes[taken - 1];
  return { rows: last ? read(last.key) : [], isLast: taken === sizes.length };
}
