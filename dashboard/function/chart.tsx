/** Draws a chart over time. Dragging across it selects a range. */
import uPlot from "uplot";
import { useEffect, useRef } from "preact/hooks";
import { colour, useScheme } from "./colours.ts";

export interface Line {
  label: string;
  /** The name of a colour in tokens.css. */
  colour: string;
  kind: "bars" | "line" | "dashes";
}

interface ChartProps {
  /** Describes the chart for screen readers. */
  label: string;
  lines: readonly Line[];
  /** Epoch seconds, then the values of each line. */
  data: readonly (readonly (number | null)[])[];
  stepSeconds: number;
  write: (value: number) => string;
  zoom: (from: number, to: number) => void;
}

const HEIGHT = 210;
/** Charts with the same sync key move their cursors together. */
const CURSOR = uPlot.sync("time");
/** Pixels. A shorter drag counts as a click. */
const LEAST_DRAG = 6;

export function Chart({ label, lines, data, stepSeconds, write, zoom }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const zoomTo = useRef(zoom);
  zoomTo.current = zoom;
  const scheme = useScheme();
  const shape = JSON.stringify([lines, scheme, stepSeconds]);

  useEffect(() => {
    const options = optionsFor({ lines, write, stepSeconds, width: box.current!.clientWidth });
    options.hooks = {
      setSelect: [
        (self) => {
          const { left, width } = self.select;
          self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          if (width < LEAST_DRAG) return;
          zoomTo.current(self.posToVal(left, "x") * 1000, self.posToVal(left + width, "x") * 1000);
        },
      ],
    };
    plot.current = new uPlot(options, data as uPlot.AlignedData, box.current!);
    const observer = new ResizeObserver(() => {
      const width = box.current?.clientWidth ?? 0;
      if (width > 0 && width !== plot.current?.width) plot.current?.setSize({ width, height: HEIGHT });
    });
    observer.observe(box.current!);
    return () => {
      observer.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => plot.current?.setData(data as uPlot.AlignedData), [data]);

  return <div ref={box} class="chart" role="img" aria-label={label} />;
}

function optionsFor({
  lines,
  write,
  stepSeconds,
  width,
}: Pick<ChartProps, "lines" | "write" | "stepSeconds"> & { width: number }): uPlot.Options {
  const axis = {
    stroke: colour("--quiet"),
    font: `12px ${getComputedStyle(document.body).fontFamily}`,
    ticks: { show: false },
    grid: { stroke: colour("--line"), width: 1 },
  };
  return {
    width,
    height: HEIGHT,
    padding: [10, 8, 0, 0],
    cursor: { sync: { key: CURSOR.key }, drag: { x: true, y: false, setScale: false }, points: { size: 7 } },
    legend: { live: true },
    scales: { x: { time: true }, y: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] } },
    axes: [
      { ...axis, size: 30, gap: 6, grid: { show: false }, values: timeLabels },
      {
        ...axis,
        size: 66,
        values: (_, values) => values.map((value) => (value === null ? "" : write(value))),
      },
    ],
    series: [
      { label: "Time", value: (_, seconds) => (seconds === null ? "" : stepName(seconds, stepSeconds)) },
      ...lines.map((line) => seriesOf(line, write)),
    ],
  };
}

function seriesOf({ label, colour: name, kind }: Line, write: ChartProps["write"]): uPlot.Series {
  const stroke = colour(name);
  return {
    label,
    stroke,
    width: kind === "bars" ? 0 : 1.75,
    points: { show: false },
    // Without a pointer the legend shows no value.
    value: (self, value) =>
      typeof value === "number" ? write(value) : typeof self.cursor.idx === "number" ? "–" : "",
    ...(kind === "dashes" ? { dash: [4, 4] } : {}),
    ...(kind === "bars"
      ? { fill: stroke, paths: uPlot.paths.bars!({ size: [0.8, 40], align: 1, gap: 0 }) }
      : { spanGaps: false }),
  };
}

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const DAY_SECONDS = 86_400;

/** The time of day; the date at midnight, or if steps are whole days. */
function timeLabels(_: uPlot, seconds: number[], __: number, ___: number, increment: number): string[] {
  return seconds.map((at) => {
    const date = new Date(at * 1000);
    const isMidnight = date.getHours() === 0 && date.getMinutes() === 0;
    return increment >= DAY_SECONDS || isMidnight ? day.format(date) : clock.format(date);
  });
}

/** Names the step that begins at this time. */
function stepName(seconds: number, stepSeconds: number): string {
  const start = seconds * 1000;
  if (stepSeconds >= DAY_SECONDS) return day.format(start);
  return `${day.format(start)}, ${clock.format(start)}–${clock.format(start + stepSeconds * 1000)}`;
}
