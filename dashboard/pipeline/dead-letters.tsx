/** Lists flushes that D1 keeps rejecting, each with the reason and a button that retries it. */
import { useState } from "preact/hooks";
import { listDeadLetters, replayDeadLetter } from "../api/client.ts";
import { useLive } from "../api/use-live.ts";
import { ago, count, text } from "../format.ts";

interface DeadLettersProps {
  /** The number of dead letters. The list is read again when it changes. */
  count: number;
  onReplay: () => void;
}

export function DeadLetters({ count: known, onReplay }: DeadLettersProps) {
  const letters = useLive(`dead letters ${known}`, listDeadLetters, { everyMs: null, isPaused: false });
  const [said, setSaid] = useState("");
  const replay = async (id: string) => {
    try {
      await replayDeadLetter(id);
      setSaid(`Retrying ${id}.`);
      onReplay();
    } catch (error) {
      setSaid((error as Error).message);
    }
  };
  return (
    <section class="card" id="dead-letters">
      <h2>Dead letters</h2>
      <p>
        D1 rejected these flushes. Their calls are still counted. The collector retries each one every hour;
        "Replay" retries it now and needs one of ADMIN_TOKENS.
      </p>
      <p role="status">{said}</p>
      {letters.error && <p role="alert">{letters.error.message}</p>}
      {letters.data && (
        <table class="failures">
          <caption class="heard">Dead letters</caption>
          <thead>
            <tr>
              <th scope="col">Flush</th>
              <th scope="col">Reason</th>
              <th scope="col" class="number">
                Attempts
              </th>
              <th scope="col" class="number">
                Size
              </th>
              <th scope="col" class="number">
                Sealed
              </th>
              <td />
            </tr>
          </thead>
          <tbody>
            {letters.data.deadLetters.map(({ id, reason, attempts, bytes, sealedAt }) => (
              <tr key={id}>
                <th scope="row">
                  <code>{id}</code>
                </th>
                <td>{reason}</td>
                <td class="number">{attempts}</td>
                <td class="number">{`${text(count(bytes))}B`}</td>
                <td class="number">{ago(Date.parse(sealedAt), letters.readAt)}</td>
                <td class="number">
                  <button type="button" aria-label={`Replay ${id}`} onClick={() => void replay(id)}>
                    Replay
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
