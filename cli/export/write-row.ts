/** Writes exported rows as lines of a file. */
import { COLUMNS, type ExportedRow } from "./read-rows.ts";

export const FORMATS = ["csv", "ndjson"] as const;
export type Format = (typeof FORMATS)[number];

export const HEADS: Record<Format, string> = { csv: `${COLUMNS.join(",")}\r\n`, ndjson: "" };

export function writeRow(row: ExportedRow, format: Format): string {
  if (format === "csv") return `${COLUMNS.map((column) => cell(row[column])).join(",")}\r\n`;
  return `${JSON.stringify(Object.fromEntries(COLUMNS.map((column) => [column, row[column]])))}\n`;
}

/** A cell as RFC 4180 has it. A text that a spreadsheet would run as a formula gets an apostrophe before it. */
function cell(value: string | number | null): string {
  if (typeof value !== "string") return value === null ? "" : String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
