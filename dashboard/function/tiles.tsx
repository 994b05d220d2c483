/** One function's numbers in the range as tiles, each with its value in the previous range. */
import type { FunctionDescription } from "#worker/api/describe-function.d.ts";
import { change, count, duration, exact, percent, rate, text, type Written } from "../format.ts";
import { Quantity } from "../parts/quantity.tsx";
import { someUnmeasurable, Unmeasurable, whyUnmeasurable } from "../parts/unmeasurable.tsx";

type Sums = FunctionDescription["range"];

interface TilesProps {
  now: Sums;
  /** Undefined until it is loaded. */
  before: Sums | undefined;
}

interface TileKind {
  title: string;
  valueOf: (sums: Sums) => number | null;
  write: (value: number) => Written;
  exact: (value: number) => string;
  /** Whether more of it is worse. */
  isBad?: boolean;
}

const DURATION = { write: duration, exact: (ms: number) => exact(ms, "ms"), isBad: true };

const TILES: TileKind[] = [
  { title: "Calls", valueOf: (sums) => sums.calls, write: count, exact: (n) => `${exact(n)} calls` },
  {
    title: "Calls/s",
    valueOf: (sums) => sums.callsPerSecond,
    write: rate,
    exact: (n) => `${exact(n)} calls a second`,
  },
  {
    title: "Errors",
    valueOf: (sums) => sums.errors,
    write: count,
    exact: (n) => `${exact(n)} errors`,
    isBad: true,
  },
  {
    title: "Error rate",
    valueOf: (sums) => sums.errorRate ?? 0,
    write: percent,
    exact: (share) => `${exact(share * 100)} % of calls`,
    isBad: true,
  },
  { title: "Average", valueOf: (sums) => sums.averageMs, ...DURATION },
  { title: "p50", valueOf: (sums) => sums.p50Ms, ...DURATION },
  { title: "p95", valueOf: (sums) => sums.p95Ms, ...DURATION },
  { title: "p99", valueOf: (sums) => sums.p99Ms, ...DURATION },
];

export function Tiles({ now, before }: TilesProps) {
  return (
    <>
      <dl class="tiles">
        {TILES.map((tile) => (
          <Tile key={tile.title} tile={tile} now={now} before={before} />
        ))}
      </dl>
      {now.unmeasured > 0 && (
        <p class="quiet-line">
          {now.unmeasured < now.calls
            ? someUnmeasurable(now.unmeasured, now.calls)
            : whyUnmeasurable(now.calls)}
        </p>
      )}
    </>
  );
}

function Tile({ tile, now, before }: TilesProps & { tile: TileKind }) {
  const value = tile.valueOf(now);
  return (
    <div class="tile">
      <dt>{tile.title}</dt>
      <dd class="value">
        {value === null ? (
          <Unmeasurable calls={now.calls} />
        ) : (
          <Quantity value={tile.write(value)} exact={tile.exact(value)} />
        )}
      </dd>
      <dd class="before">
        {before && value !== null && <Comparison tile={tile} now={value} before={before} />}
      </dd>
    </div>
  );
}

/** Smaller increases are shown without a mark. */
const NOTABLE = 1.25;

function Comparison({ tile, now, before }: { tile: TileKind; now: number; before: Sums }) {
  const was = tile.valueOf(before);
  if (was === null || before.calls === 0) return <span>no calls before</span>;
  const by = change(now, was);
  const isWorse = tile.isBad && now > 0 && now >= was * NOTABLE;
  return (
    <span class={isWorse ? "worse" : undefined} title={`Before: ${tile.exact(was)}`}>
      {isWorse && <span aria-label="worse">▲ </span>}
      {by === undefined ? "" : `${by}, `}
      {`was ${text(tile.write(was))}`}
    </span>
  );
}
