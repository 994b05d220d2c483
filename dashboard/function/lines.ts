/** The lines and bars of the charts. Each line has its own width and dashes, so that no colour is needed to tell them apart. */

export interface Line {
  label: string;
  /** The name of a colour in tokens.css. */
  colour: string;
  kind: "bars" | "line";
  /** In pixels. */
  width?: number;
  /** Lengths of dashes and gaps in pixels. */
  dash?: number[];
  /** The diameter of a single point in pixels, for a value without neighbours. */
  point?: number;
  /** Whether single points are rings. */
  isRing?: boolean;
}

export const CALLS: Line[] = [
  { label: "Calls", colour: "--calls", kind: "bars" },
  { label: "Errors", colour: "--failing-mark", kind: "bars" },
  { label: "Calls before", colour: "--faint", kind: "line", width: 1.5, dash: [7, 4] },
];

export const PERCENTILES: Line[] = [
  { label: "p50", colour: "--p50", kind: "line", width: 1.25, point: 4 },
  { label: "p95", colour: "--p95", kind: "line", width: 3, point: 9 },
  { label: "p99", colour: "--p99", kind: "line", width: 2, dash: [2, 3], point: 15, isRing: true },
  { label: "p95 before", colour: "--faint", kind: "line", width: 1.5, dash: [7, 4], point: 9, isRing: true },
];
