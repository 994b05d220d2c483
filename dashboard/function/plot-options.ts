/** Configures uPlot: scales, axes and series of a chart over time. */
import uPlot from "uplot";
import type { Times } from "../times/times.ts";
import { colour } from "./colours.ts";
import type { Line } from "./lines.ts";

export interface PlotOptions {
  lines: readonly Line[];
  stepSeconds: number;
  /** Whether values are counts: then the axis has whole numbers. */
  isCount: boolean;
  /** Writes a value at the axis, without rounding. */
  writeTick: (value: number) => string;
  times: Times;
  width: number;
}

export const HEIGHT = 210;
/** Charts with the same sync key move their cursors together. */
const CURSOR = uPlot.sync("time");
const DAY_SECONDS = 86_400;
const WHOLE = Array.from({ length: 40 }, (_, i) => [1, 2, 5][i % 3]! * 10 ** Math.floor(i / 3));

export function optionsFor({
  lines,
  stepSeconds,
  isCount,
  writeTick,
  times,
  width,
}: PlotOptions): uPlot.Options {
  const half = stepSeconds / 2;
  const axis = {
    stroke: colour("--quiet"),
    font: `12px ${getComputedStyle(document.body).fontFamily}`,
    ticks: { show: false },
    grid: { stroke: colour("--line"), width: 1 },
  };
  return {
    width,
    height: HEIGHT,
    // Room for the last label, whose middle is at the end of the axis.
    padding: [10, 24, 0, 0],
    ...(times.zone === "utc"
      ? { tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") }
      : {}),
    cursor: {
      sync: { key: CURSOR.key },
      drag: { x: true, y: false, setScale: false },
      points: { size: 7 },
    },
    legend: { show: false },
    scales: {
      // Points are the middles of steps, or moments. Without the halves, the first and the last bar would be cut. uPlot's own
      // range of a single point would be years long.
      x: { time: true, range: ({ data: [middles] }) => [middles[0]! - half, middles.at(-1)! + half] },
      y: { range: (_, min, max) => [Math.min(0, min * 1.08), max > 0 ? max * 1.08 : min < 0 ? 0 : 1] },
    },
    axes: [
      {
        ...axis,
        size: 30,
        gap: 6,
        grid: { show: false },
        values: (_, seconds, __, ___, increment) => seconds.map((at) => timeLabel(at, increment, times)),
      },
      {
        ...axis,
        size: 66,
        values: (_, values) =>
          values.map((value) => (value === null ? "" : value === 0 ? "0" : writeTick(value))),
        ...(isCount ? { incrs: WHOLE } : {}),
      },
    ],
    series: [{}, ...lines.map(seriesOf)],
  };
}

function seriesOf({
  label,
  colour: name,
  kind,
  width = 0,
  dash,
  point = 6,
  isRing = false,
}: Line): uPlot.Series {
  const stroke = colour(name);
  if (kind === "bars") {
    const paths = uPlot.paths.bars!({ size: [0.85, Infinity], align: 0, gap: 0 });
    return { label, stroke, width: 0, fill: stroke, paths, points: { show: false } };
  }
  return {
    label,
    stroke,
    width,
    spanGaps: false,
    // A value between two gaps has no line to its neighbours. It is drawn as a point.
    points: {
      show: true,
      size: point,
      width: isRing ? 1.5 : 0,
      fill: isRing ? "transparent" : stroke,
      stroke,
      filter: (self, i) => isolated(self.data[i]!),
    },
    ...(dash === undefined ? {} : { dash }),
  };
}

/** The indexes of values without a neighbour. */
export function isolated(values: ArrayLike<number | null | undefined>): number[] {
  const has = (i: number) => values[i] !== null && values[i] !== undefined;
  return Array.from({ length: values.length }, (_, i) => i).filter(
    (i) => has(i) && !has(i - 1) && !has(i + 1),
  );
}

/** The time of day; the date at midnight, or if ticks are whole days. */
function timeLabel(seconds: number, increment: number, times: Times): string {
  const at = seconds * 1000;
  return increment >= DAY_SECONDS || times.clock(at) === "00:00" ? times.day(at) : times.clock(at);
}

/** Names the step that begins at this time, or the moment. */
export function stepName(startMs: number, stepSeconds: number, isOfMoments: boolean, times: Times): string {
  if (isOfMoments) return times.moment(startMs);
  if (stepSeconds === DAY_SECONDS && times.clock(startMs) === "00:00") return times.day(startMs);
  return times.span(startMs, startMs + stepSeconds * 1000);
}
