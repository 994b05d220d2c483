/** The distribution of durations as bars on a logarithmic axis. */
import { useState } from "preact/hooks";
import type { Distribution } from "../api/client.ts";
import { duration, durationTick, exact, exactly, text } from "../format.ts";

interface HistogramProps {
  distribution: Distribution;
  markers: { label: string; ms: number | null }[];
}

const WIDTH = 600;
const HEIGHT = 150;
const TICKS = 5;

export function Histogram({ distribution: { buckets, measured }, markers }: HistogramProps) {
  if (buckets.length === 0) return <p class="nothing">No durations were measured in this range.</p>;
  const most = Math.max(...buckets.map(({ calls }) => calls));
  const step = WIDTH / buckets.length;
  const first = buckets[0]!.aboveMs;
  const last = buckets.at(-1)!.toMs;
  const x = (ms: number) => (Math.log(ms / first) / Math.log(last / first)) * WIDTH;
  const ticks = Array.from({ length: TICKS }, (_, i) => first * (last / first) ** (i / (TICKS - 1)));
  return (
    <div class="histogram">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${exactly(measured, "duration")} from ${text(duration(first))} to ${text(duration(last))}`}
      >
        {buckets.map(({ aboveMs, toMs, calls }, i) => (
          <g key={i} class="bucket">
            <title>{`${text(duration(aboveMs))} to ${text(duration(toMs))}: ${exactly(calls, "call")}`}</title>
            <rect class="reach" x={i * step} y={0} width={step} height={HEIGHT} />
            <rect
              class="bar"
              x={i * step + step * 0.08}
              y={HEIGHT - (calls / most) * HEIGHT}
              width={step * 0.84}
              height={(calls / most) * HEIGHT}
            />
          </g>
        ))}
        {markers.map(
          ({ label, ms }) =>
            ms !== null && (
              <line key={label} class={`marker ${label}`} x1={x(ms)} x2={x(ms)} y1={0} y2={HEIGHT} />
            ),
        )}
      </svg>
      <div class="ticks" aria-hidden="true">
        {ticks.map((ms) => (
          <span key={ms}>{durationTick(ms)}</span>
        ))}
      </div>
      <ul class="markers">
        {markers.map(
          ({ label, ms }) =>
            ms !== null && (
              <li key={label}>
                <svg viewBox="0 0 10 14" width="10" height="14" aria-hidden="true">
                  <path class={`marker ${label}`} d="M5 0v14" />
                </svg>
                <b>{label}</b> {text(duration(ms))}
              </li>
            ),
        )}
      </ul>
      <Buckets buckets={buckets} />
    </div>
  );
}

function Buckets({ buckets }: Pick<Distribution, "buckets">) {
  const [isTable, setTable] = useState(false);
  return (
    <details class="as-table" onToggle={(event) => setTable(event.currentTarget.open)}>
      <summary>Show as table</summary>
      {isTable && (
        <div class="scroll" tabIndex={0} role="region" aria-label="Duration distribution">
          <table>
            <thead>
              <tr>
                <th scope="col">Duration</th>
                <th scope="col" class="number">
                  Calls
                </th>
              </tr>
            </thead>
            <tbody>
              {buckets.map(({ aboveMs, toMs, calls }) => (
                <tr key={aboveMs}>
                  <th scope="row">{`${text(duration(aboveMs))} – ${text(duration(toMs))}`}</th>
                  <td class="number">{exact(calls)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}
