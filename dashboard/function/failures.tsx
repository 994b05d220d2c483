/** The table of a function's failures, the most frequent first. */
import type { FunctionDescription } from "#worker/api/describe-function.d.ts";
import { ago, at, count, exact } from "../format.ts";
import { useNow } from "../parts/live-switch.tsx";
import { Quantity } from "../parts/quantity.tsx";

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
              <b>{name}</b> {message}
            </th>
            <td class="number">
              <Quantity value={count(calls)} exact={`${exact(calls)} calls`} />
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
  return (
    <time dateTime={value} title={at(Date.parse(value))}>
      {ago(Date.parse(value), now)}
    </time>
  );
}
