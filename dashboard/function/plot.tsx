/** Paints a chart with uPlot. Dragging across it, with a mouse or a finger, selects a range. */
import uPlot from "uplot";
import { useEffect, useRef } from "preact/hooks";
import { useTimes } from "../times/times.ts";
import { useScheme } from "./colours.ts";
import type { Line } from "./lines.ts";
import { HEIGHT, optionsFor } from "./plot-options.ts";

export interface ChartProps {
  /** Describes the chart for screen readers. */
  label: string;
  lines: readonly Line[];
  /** When each step begins, in epoch milliseconds. */
  starts: readonly number[];
  /** The values of each line. */
  values: readonly (readonly (number | null)[])[];
  stepSeconds: number;
  /** Whether the values are those of the moments `starts`, not of the steps that begin there. */
  isOfMoments?: boolean;
  isCount?: boolean;
  /** Writes a value rounded for reading. */
  write: (value: number) => string;
  writeTick: (value: number) => string;
  zoom: (from: number, to: number) => void;
}

interface PlotProps extends ChartProps {
  index: number | undefined;
  setIndex: (index: number | undefined) => void;
}

/** The third argument tells the other charts. uPlot has it, but its types lack it. */
type MoveCursor = (at: { left: number; top: number }, fireHooks: boolean, publish: boolean) => void;

/** Pixels. A shorter drag counts as a click. */
const LEAST_DRAG = 6;

export function Plot(props: PlotProps) {
  const {
    lines,
    starts,
    values,
    stepSeconds,
    isOfMoments = false,
    isCount = false,
    writeTick,
    index,
  } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  /** Set while the arrow keys move the cursor. The step is chosen then; the cursor must not choose another one. */
  const isMoving = useRef(false);
  const latest = useRef(props);
  latest.current = props;
  const scheme = useScheme();
  const times = useTimes();
  const middle = isOfMoments ? 0 : stepSeconds / 2;
  const data = [starts.map((start) => start / 1000 + middle), ...values] as uPlot.AlignedData;

  useEffect(() => {
    const width = box.current!.clientWidth;
    const options = optionsFor({ lines, stepSeconds, isCount, writeTick, times, width });
    const select = (from: number, to: number) => latest.current.zoom(from * 1000, to * 1000);
    options.hooks = {
      setCursor: [({ cursor: { idx } }) => isMoving.current || latest.current.setIndex(idx ?? undefined)],
      setSelect: [
        (self) => {
          const { left, width } = self.select;
          self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          if (width >= LEAST_DRAG) select(self.posToVal(left, "x"), self.posToVal(left + width, "x"));
        },
      ],
    };
    plot.current = new uPlot(options, data, box.current!);
    selectByTouch(plot.current, select);
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
  }, [JSON.stringify(lines), scheme, stepSeconds, isCount, times]);

  useEffect(() => plot.current?.setData(data), [starts, values]);

  // The arrow keys chose a step: move the cursor of all charts there.
  useEffect(() => {
    const self = plot.current;
    if (!self || index === (self.cursor.idx ?? undefined)) return;
    // Only the chart with the focus moves the others. If each moved the other, they could do so for ever.
    const hasFocus = box.current!.parentElement === document.activeElement;
    if (index !== undefined && !hasFocus) return;
    const left = index === undefined ? -10 : self.valToPos(self.data[0][index]!, "x");
    const move = self.setCursor.bind(self) as MoveCursor;
    isMoving.current = true;
    move({ left, top: index === undefined ? -10 : HEIGHT / 4 }, true, true);
    isMoving.current = false;
  }, [index]);

  return <div ref={box} class="plot" />;
}

/** uPlot knows the mouse only. A finger that moves sideways selects; one that moves up or down scrolls the page. */
function selectByTouch(plot: uPlot, select: (from: number, to: number) => void): void {
  const area = plot.over;
  let start: number | undefined;
  const positionOf = (event: PointerEvent) => event.clientX - area.getBoundingClientRect().left;
  const show = (from: number, to: number) =>
    plot.setSelect(
      { left: Math.min(from, to), top: 0, width: Math.abs(to - from), height: area.clientHeight },
      false,
    );
  area.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") start = positionOf(event);
  });
  area.addEventListener("pointermove", (event) => {
    if (start !== undefined) show(start, positionOf(event));
  });
  area.addEventListener("pointerup", (event) => {
    if (start === undefined) return;
    const [from, to] = [start, positionOf(event)].sort((a, b) => a - b);
    start = undefined;
    show(0, 0);
    if (to! - from! >= LEAST_DRAG) select(plot.posToVal(from!, "x"), plot.posToVal(to!, "x"));
  });
  area.addEventListener("pointercancel", () => {
    start = undefined;
    show(0, 0);
  });
}
