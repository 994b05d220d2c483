/** A chart over time, with a legend, keyboard access, and a table on demand. */
import { useState } from "preact/hooks";
import { useTimes } from "../times/times.ts";
import type { Line } from "./lines.ts";
import { type ChartProps, Plot } from "./plot.tsx";
import { stepName } from "./plot-options.ts";

export function Chart(props: ChartProps) {
  const { label, lines, starts, values, stepSeconds, isOfMoments = false, write } = props;
  const times = useTimes();
  const nameAt = (i: number) => stepName(starts[i]!, stepSeconds, isOfMoments, times);
  /** The step under the pointer, or the one chosen with the arrow keys. */
  const [index, setIndex] = useState<number | undefined>(undefined);
  const [isTable, setTable] = useState(false);
  const chosen = index !== undefined && index < starts.length ? index : undefined;
  const valueOf = (line: number, i: number) => {
    // Null draws no bar, and stands for 0 there.
    const value = values[line]![i] ?? (lines[line]!.kind === "bars" ? 0 : undefined);
    return value === undefined ? "–" : write(value);
  };
  const sentence = (i: number) =>
    `${nameAt(i)}: ${lines.map((line, n) => `${line.label} ${valueOf(n, i)}`).join(", ")}`;

  const move = (event: KeyboardEvent) => {
    const end = starts.length - 1;
    const to = {
      ArrowLeft: chosen === undefined ? end : Math.max(0, chosen - 1),
      ArrowRight: chosen === undefined ? 0 : Math.min(end, chosen + 1),
      Home: 0,
      End: end,
      Escape: undefined,
    };
    if (!(event.key in to)) return;
    event.preventDefault();
    setIndex(to[event.key as keyof typeof to]);
  };

  return (
    <>
      <div
        class="chart"
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, starts.length - 1)}
        aria-valuenow={chosen ?? 0}
        aria-valuetext={chosen === undefined ? "No step chosen" : sentence(chosen)}
        onKeyDown={move}
        onBlur={() => setIndex(undefined)}
      >
        <Plot {...props} index={chosen} setIndex={setIndex} />
      </div>
      <ul class="legend" aria-hidden="true">
        {lines.map((line, n) => (
          <li key={line.label}>
            <Sample line={line} />
            {line.label} <b>{chosen === undefined ? "" : valueOf(n, chosen)}</b>
          </li>
        ))}
        <li>{chosen === undefined ? "" : nameAt(chosen)}</li>
      </ul>
      <details class="as-table" onToggle={(event) => setTable(event.currentTarget.open)}>
        <summary>Show as table</summary>
        {isTable && <Table {...props} nameAt={nameAt} valueOf={valueOf} />}
      </details>
    </>
  );
}

/** The line or the bar as it is drawn, for the legend. */
function Sample({ line: { kind, colour, width = 0, dash } }: { line: Line }) {
  return (
    <svg viewBox="0 0 26 12" width="26" height="12" aria-hidden="true">
      {kind === "bars" ? (
        <rect x="8" y="1" width="10" height="11" style={{ fill: `var(${colour})` }} />
      ) : (
        <path
          d="M0 6h26"
          style={{ stroke: `var(${colour})` }}
          stroke-width={width}
          {...(dash === undefined ? {} : { "stroke-dasharray": dash.join(" ") })}
        />
      )}
    </svg>
  );
}

interface TableProps extends ChartProps {
  nameAt: (i: number) => string;
  valueOf: (line: number, i: number) => string;
}

function Table({ label, lines, starts, nameAt, valueOf }: TableProps) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {lines.map((line) => (
              <th scope="col" key={line.label} class="number">
                {line.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {starts.map((start, i) => (
            <tr key={start}>
              <th scope="row">{nameAt(i)}</th>
              {lines.map((line, n) => (
                <td key={line.label} class="number">
                  {valueOf(n, i)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
