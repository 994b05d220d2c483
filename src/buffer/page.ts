/** Takes rows up to a size, so that they fit one RPC answer. */

export interface Page<Row> {
  rows: Row[];
  isLast: boolean;
}

/** The first rows up to `maxBytes` in all. The first row is always taken, whatever its size. */
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
