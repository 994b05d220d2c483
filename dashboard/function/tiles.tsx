/** One function's numbers in the range as tiles, each with its value in the previous range. */
import type { FunctionDescription } from "../api/client.ts";
import { change, count, duration, exact, exactly, percent, rate, text, type Written } from "../format.ts";
import { Quantity } from "../parts/quantity.tsx";
import { someUnmeasurable, Unmeasurable, whyUnmeasurable } from "../parts/unmeasurable.tsx";
import { useTimes } from "../times/times.ts";

/** The sums of a range, and the seconds of it in which the function could be called. */
export type Measured = FunctionDescription["range"] & { seconds: number };

interface TilesProps {
  now: Measured;
  /** Undefined until it is loaded, and if there is nothing to compare with. */
  previous: Measured | undefined;
  /** When the first call was recorded, if that is within the range. Rates count from then. */
  since: number | undefined;
}

interface TileKind {
  title: string;
  valueOf: (sums: Measured) => number | null;
  write: (value: number) => Written;
  exact: (value: number) => string;
  /** Counts are compared per second, because the current range may not be over. */
  isCount?: boolean;
  isRate?: boolean;
  /** Whether more of it is worse. */
  isBad?: boolean;
}

const DURATION = { write: duration, exact: (ms: number) => exact(ms, "ms"), isBad: true };

const TILES: TileKind[] = [
  {
    title: "Calls",
    valueOf: (sums) => sums.calls,
    write: count,
    exact: (n) => exactly(n, "call"),
    isCount: true,
  },
  {
    title: "Calls/s",
    valueOf: (sums) => sums.calls / sums.seconds,
    write: rate,
    exact: (n) => `${exact(n)} calls per second`,
    isRate: true,
  },
  {
    title: "Errors",
    valueOf: (sums) => sums.errors,
    write: count,
    exact: (n) => exactly(n, "error"),
    isCount: true,
    isBad: true,
  },
  {
    title: "Error rate",
    valueOf: (sums) => sums.errorRate,
    write: percent,
    exact: (share) => `${exact(share * 100)} % of calls`,
    isBad: true,
  },
  { title: "Average", valueOf: (sums) => sums.averageMs, ...DURATION },
  { title: "p50", valueOf: (sums) => sums.p50Ms, ...DURATION },
  { title: "p95", valueOf: (sums) => sums.p95Ms, ...DURATION },
  { title: "p99", valueOf: (sums) => sums.p99Ms, ...DURATION },
];

export function Tiles({ now, previous, since }: TilesProps) {
  return (
    <>
      <dl class="tiles">
        {TILES.map((tile) => (
          <Tile key={tile.title} tile={tile} now={now} previous={previous} since={since} />
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

function Tile({ tile, now, previous, since }: TilesProps & { tile: TileKind }) {
  const value = tile.valueOf(now);
  const times = useTimes();
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
        {previous && value !== null && <Comparison tile={tile} now={now} previous={previous} />}
        {tile.isRate && since !== undefined && <span class="since">{`since ${times.moment(since)}`}</span>}
      </dd>
    </div>
  );
}

/** Smaller increases are shown without a mark. */
const NOTABLE = 1.25;

function Comparison({ tile, now, previous }: { tile: TileKind; now: Measured; previous: Measured }) {
  const was = tile.valueOf(previous);
  if (was === null || previous.calls === 0) return <span>no calls before</span>;
  const comparableOf = (sums: Measured) =>
    tile.isCount ? tile.valueOf(sums)! / sums.seconds : tile.valueOf(sums)!;
  const [current, earlier] = [comparableOf(now), comparableOf(previous)];
  const by = change(current, earlier);
  const isWorse = tile.isBad && current > 0 && current >= earlier * NOTABLE;
  return (
    <span class={isWorse ? "worse" : undefined} title={`Previous range: ${tile.exact(was)}`}>
      {isWorse && (
        <span role="img" aria-label="worse">
          ▲{" "}
        </span>
      )}
      {by === undefined ? "" : `${by}, `}
      {`was ${text(tile.write(was))}`}
    </span>
  );
}
