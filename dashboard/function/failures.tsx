/** The table of a function's failures, the most frequent first. */
import type { FunctionDescription } from "../api/client.ts";
import { ago, count, exactly } from "../format.ts";
import { Name } from "../parts/name.tsx";
import { Quantity } from "../parts/quantity.tsx";
import { useTimes } from "../times/times.ts";
import { useNow } from "../times/use-now.ts";

export function Failures({ failures }: Pick<FunctionDescription, "failures">) {
  const now = useNow(30_000);
  if (failures.length === 0) return <p class="nothing">No call has ever failed.</p>;
  return (
    <table class="failures of-function">
      <caption class="heard">Failures</caption>
      <thead>
        <tr>
          <th scope="col">Failure</th>
          <th scope="col" class="number">
            Calls
          </th>
          <th scope="col" class="number">
            First seen
          </th>
          <th scope="col" class="number">
            Last seen
          </th>
        </tr>
      </thead>
      <tbody>
        {failures.map(({ name, message, calls, firstSeen, lastSeen }) => (
          <tr key={`${name}\n${message}`}>
            <th scope="row">
              <b>
                <Name text={name} />
              </b>{" "}
              <Name text={message} />
            </th>
            <td class="number">
              <Quantity value={count(calls)} exact={exactly(calls, "call")} />
            </td>
            <td class="number">
              <Moment value={firstSeen} now={now} />
            </td>
            <td class="number">
              <Moment value={lastSeen} now={now} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Moment({ value, now }: { value: string; now: number }) {
  const times = useTimes();
  const at = Date.parse(value);
  return (
    <time dateTime={value} title={`${times.moment(at)} ${times.offset(at)}`}>
      {ago(at, now)}
    </time>
  );
}
