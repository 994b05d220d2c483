/** Limits and prices of the Free and Paid plans, as Cloudflare lists them in 2026. docs/cost.md explains them. */
export const FREE_PLAN = {
  databaseBytes: 500_000_000,
  rowsWrittenPerDay: 100_000,
  rowsReadPerDay: 5_000_000,
} as const;

export const PAID_PLAN = {
  rowsWrittenPerMonth: 50_000_000,
  rowsReadPerMonth: 25_000_000_000,
} as const;

/** Dollars for each million beyond what a plan includes. */
export const PRICE = { rowsWritten: 1, rowsRead: 0.001 } as const;

/** At list price, with nothing included. */
export function listPrice({ rowsRead, rowsWritten }: { rowsRead: number; rowsWritten: number }): number {
  return (rowsWritten * PRICE.rowsWritten + rowsRead * PRICE.rowsRead) / 1_000_000;
}
