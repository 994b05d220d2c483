/** Shows the three stages of the pipeline (buffer, queue, D1) and how much waits in each. */
import type { ComponentChildren } from "preact";
import type { Health } from "../api/client.ts";
import { ago, count, exact, text } from "../format.ts";
import { Quantity } from "../parts/quantity.tsx";
import { useTimes } from "../times/times.ts";

export function Stages({ health, now }: { health: Health; now: number }) {
  const { unconfirmedFlushes, deadLetters } = health;
  const waiting = unconfirmedFlushes === null ? null : unconfirmedFlushes - (deadLetters ?? 0);
  return (
    <ol class="stages">
      <Stage
        name="Buffer"
        what="samples buffered"
        value={health.bufferedSamples}
        isBad={false}
        note={
          health.oldestBufferedAt === null ? (
            "Empty"
          ) : (
            <>
              <Since value={health.oldestBufferedAt} now={now} prefix="The oldest arrived " />
              <span title={`${exact(health.bufferedBytes ?? 0)} bytes`}>
                {`, ${text(count(health.bufferedBytes ?? 0))}B in total`}
              </span>
            </>
          )
        }
      />
      <Stage
        name="Queue"
        what="unconfirmed flushes"
        value={waiting}
        isBad={false}
        note={
          health.oldestUnconfirmedAt === null ? (
            "Nothing is waiting"
          ) : (
            <Since value={health.oldestUnconfirmedAt} now={now} prefix="The oldest was sealed " />
          )
        }
      />
      <Stage
        name="D1"
        what="dead letters"
        value={deadLetters}
        isBad={(deadLetters ?? 0) > 0}
        note={
          health.lastFlushAt === null ? (
            "No flush has arrived yet"
          ) : (
            <Since value={health.lastFlushAt} now={now} prefix="The last flush arrived " />
          )
        }
      />
    </ol>
  );
}

interface StageProps {
  name: string;
  what: string;
  /** Null if it could not be read. In that case `problems` says why. */
  value: number | null;
  isBad: boolean;
  note: ComponentChildren;
}

function Stage({ name, what, value, isBad, note }: StageProps) {
  return (
    <li class={isBad ? "stage bad" : "stage"}>
      <h2>{name}</h2>
      <p class="amount">
        {value === null ? "?" : <Quantity value={count(value)} exact={`${exact(value)} ${what}`} />}{" "}
        <span>{what}</span>
      </p>
      <p class="note">{value === null ? "Could not be read" : note}</p>
    </li>
  );
}

function Since({ value, now, prefix }: { value: string; now: number; prefix: string }) {
  const times = useTimes();
  const at = Date.parse(value);
  return (
    <time dateTime={value} title={`${times.moment(at)} ${times.offset(at)}`}>
      {prefix}
      {ago(at, now)}
    </time>
  );
}
