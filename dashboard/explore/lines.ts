/** The lines of the chart. No two have the same width and dashes, so no colour is needed to tell them apart. */
import type { Line } from "../function/lines.ts";

const COLOURS = ["--series-1", "--series-2", "--series-3", "--series-4"];
const SHAPES: Pick<Line, "width" | "dash" | "point" | "isRing">[] = [
  { width: 2, point: 6 },
  { width: 2, dash: [8, 4], point: 8, isRing: true },
  { width: 2, dash: [2, 3], point: 4 },
  { width: 4, point: 10 },
  { width: 4, dash: [8, 4], point: 12, isRing: true },
  { width: 4, dash: [2, 4], point: 12 },
  { width: 1, point: 5 },
  { width: 1, dash: [8, 4], point: 6, isRing: true },
  { width: 1, dash: [2, 3], point: 3 },
  { width: 2, dash: [10, 3, 2, 3], point: 14 },
  { width: 4, dash: [12, 4, 3, 4], point: 16 },
  { width: 1, dash: [10, 3, 2, 3], point: 16, isRing: true },
];

export const MOST_LINES = SHAPES.length;

export function lineFor(label: string, i: number): Line {
  return { label, kind: "line", colour: COLOURS[i % COLOURS.length]!, ...SHAPES[i % SHAPES.length]! };
}
