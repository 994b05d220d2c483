/** Mutes one kind of attention of a function until a date, with a reason, and ends a mute. */
import { useState } from "preact/hooks";
import { mute, unmute } from "../api/client.ts";
import { serverNow } from "../api/server-clock.ts";
import { isolate } from "../parts/name.tsx";
import { LABELS } from "../parts/mark.tsx";
import type { AttentionItem } from "./judgement.ts";

const DAY_MS = 86_400_000;
const LENGTHS = { "1 day": DAY_MS, "1 week": 7 * DAY_MS, "30 days": 30 * DAY_MS } as const;
type Length = keyof typeof LENGTHS;

interface MuteProps {
  item: AttentionItem;
  /** After the server has taken it. */
  onChange: () => void;
}

export function MuteForm({ item, onChange }: MuteProps) {
  const [length, setLength] = useState<Length>("1 week");
  const [reason, setReason] = useState("");
  const { isBusy, problem, run } = useRequest(onChange);
  const apply = (event: SubmitEvent) => {
    event.preventDefault();
    if (reason.trim() !== "") void run(() => mute(item, serverNow() + LENGTHS[length], reason.trim()));
  };
  return (
    <details class="mute">
      <summary aria-label={`Mute ${nameOf(item)}`}>Mute</summary>
      <form onSubmit={apply}>
        <label>
          Reason
          <input
            type="text"
            required
            maxLength={500}
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
          />
        </label>
        <label>
          For
          <select value={length} onChange={(event) => setLength(event.currentTarget.value as Length)}>
            {Object.keys(LENGTHS).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <button type="submit" disabled={isBusy || reason.trim() === ""}>
          Mute
        </button>
        <p class="quiet">It is listed below until then. Muting needs one of ADMIN_TOKENS.</p>
        {problem !== "" && <p role="alert">{`Could not mute it. ${problem}`}</p>}
      </form>
    </details>
  );
}

export function UnmuteButton({ item, onChange }: MuteProps) {
  const { isBusy, problem, run } = useRequest(onChange);
  return (
    <>
      <button
        type="button"
        class="link"
        disabled={isBusy}
        aria-label={`Unmute ${nameOf(item)}`}
        onClick={() => void run(() => unmute(item))}
      >
        Unmute
      </button>
      {problem !== "" && <span role="alert">{` Could not unmute it. ${problem}`}</span>}
    </>
  );
}

function nameOf({ function: name, kind }: AttentionItem): string {
  return `${isolate(name)}: ${LABELS[kind].toLowerCase()}`;
}

function useRequest(onDone: () => void) {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const run = async (request: () => Promise<unknown>) => {
    setBusy(true);
    setProblem("");
    try {
      await request();
      onDone();
    } catch (error) {
      setProblem((error as Error).message);
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, problem, run };
}
