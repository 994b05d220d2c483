/** The table of a query's values at the end of the range, with all digits. */
import { useState } from "preact/hooks";
import type {
  Histogram,
  Instant,
  InstantData,
  InstantQuestion,
  Labels,
  Sample,
  Series,
} from "../api/prometheus-results.ts";
import { exactly } from "../format.ts";
import { CopyButton } from "../parts/copy-button.tsx";
import { Name } from "../parts/name.tsx";
import { useTimes } from "../times/times.ts";
import { curlFor } from "./curl.ts";
import { seriesName, sharedLabels } from "./series.ts";

interface ResultTableProps {
  data: InstantData;
  asked: InstantQuestion;
  /** The server's time of the answer. */
  readAt: number;
}

interface Row {
  name: string;
  /** One number or text, several numbers with their times, or a histogram. */
  values: (Sample | [seconds: number, histogram: Histogram])[];
}

/** Rows that are shown at first. */
const FEW = 200;

export function ResultTable({ data, asked, readAt }: ResultTableProps) {
  const times = useTimes();
  const [isWhole, setWhole] = useState(false);
  const { rows, shared } = rowsOf(data);
  const at = asked.time === undefined ? readAt : Number(asked.time) * 1000;
  const moment = `${times.moment(at).replace(times.clock(at), times.seconds(at))} ${times.offset(at)}`;
  return (
    <section class="values">
      <header>
        <h2>
          {asked.time === undefined ? "Now" : "At the end"} <span class="hint">{moment}</span>
        </h2>
        <span class="hint">
          {`${rows.length} series · `}
          <CopyButton
            label="Copy as curl"
            title="Copies a command that asks for these values"
            text={() => curlFor("/api/v1/query", asked)}
          />
        </span>
      </header>
      {Object.keys(shared).length > 0 && (
        <p class="hint">
          All have <Name text={seriesName(shared)} />
        </p>
      )}
      {rows.length === 0 ? (
        <p class="nothing">No series match at this time.</p>
      ) : (
        <table>
          <caption class="heard">Values of the query</caption>
          <thead>
            <tr>
              <th scope="col">Series</th>
              <th scope="col" class="number">
                Value
              </th>
            </tr>
          </thead>
          <tbody>
            {(isWhole ? rows : rows.slice(0, FEW)).map(({ name, values }) => (
              <tr key={name}>
                <th scope="row">
                  <Name text={name} />
                </th>
                <td class="number">
                  {values.map((value) => (
                    <Value key={value[0]} value={value} isOneOfMany={data.resultType === "matrix"} />
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {!isWhole && rows.length > FEW && (
        <button type="button" class="link" onClick={() => setWhole(true)}>
          {`Show all ${exactly(rows.length, "row")}`}
        </button>
      )}
    </section>
  );
}

function Value({ value: [at, value], isOneOfMany }: { value: Row["values"][number]; isOneOfMany: boolean }) {
  const times = useTimes();
  const moment = isOneOfMany ? ` @ ${times.moment(at * 1000)}` : "";
  if (typeof value === "string") return <div>{`${value}${moment}`}</div>;
  const { count, sum, buckets = [] } = value;
  return (
    <details>
      <summary>{`count ${count}, sum ${sum}${moment}`}</summary>
      {buckets.map(([bounds, lower, upper, inside]) => (
        <div key={lower}>
          {`${bounds === 1 || bounds === 3 ? "[" : "("}${lower}, ${upper}${bounds === 0 || bounds === 3 ? "]" : ")"} ${inside}`}
        </div>
      ))}
    </details>
  );
}

function rowsOf(data: InstantData): { rows: Row[]; shared: Labels } {
  if (data.resultType === "scalar" || data.resultType === "string") {
    return { rows: [{ name: data.resultType, values: [data.result] }], shared: {} };
  }
  const all: (Instant & Series)[] = data.result;
  const shared = sharedLabels(all.map(({ metric }) => metric));
  const rows = all.map(({ metric, value, histogram, values = [], histograms = [] }) => ({
    name: seriesName(metric, shared),
    values: [...(value ? [value] : []), ...(histogram ? [histogram] : []), ...values, ...histograms],
  }));
  return { rows, shared };
}
