/** Parts of a table that fit into one RPC answer. */

export interface Page<Row> {
  rows: Row[];
  isLast: boolean;
}

/** The first rows, until they fill the bytes given; at least one if there is any. */
export function takePage<Row extends { bytes: number }>(all: Iterable<Row>, maxBytes: number): Page<Row> {
  const rows: Row[] = [];
  let bytes = 0;
  for (const row of all) {
    bytes += row.bytes;
    if (bytes > maxBytes && rows.length > 0) return { rows, isLast: false };
    rows.push(row);
  }
  return { rows, isLast: true };
}
