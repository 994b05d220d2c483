/** Deletes a function or a service for good, after the reader has typed its name. */
import { useState } from "preact/hooks";
import { forgetAnswers } from "../api/answer-cache.ts";
import { deleteSeries } from "../api/client.ts";
import { exactly } from "../format.ts";
import { isolate, Name } from "../parts/name.tsx";

interface DeleteFormProps {
  service: string;
  /** Undefined deletes the whole service. */
  name?: string;
  /** Undefined deletes the functions of this name in all modules. */
  module?: string | undefined;
  onDelete: () => void;
}

export function DeleteForm({ service, name, module, onDelete }: DeleteFormProps) {
  const [typed, setTyped] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const [done, setDone] = useState("");
  const what = name ?? service;
  const kind = name === undefined ? "service" : "function";
  const isConfirmed = typed.normalize("NFC") === what;

  const apply = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!isConfirmed || isBusy) return;
    setBusy(true);
    setProblem("");
    try {
      setDone(sentenceOf(await deleteSeries(service, name, module)));
      setTyped("");
      forgetAnswers();
      onDelete();
    } catch (error) {
      setProblem((error as Error).message);
    } finally {
      setBusy(false);
    }
  };

  return (
    <details class="delete">
      <summary>{`Delete this ${kind}`}</summary>
      <form onSubmit={(event) => void apply(event)}>
        <p>
          This deletes the {kind} <Name text={what} />
          {name !== undefined && whereOf(module)} with all its calls. You cannot undo it. If the {kind} is
          called again, it appears again with its new calls only. Deleting needs one of ADMIN_TOKENS.
        </p>
        <label>
          {`Type the name of the ${kind} to confirm`}
          <input
            type="text"
            autocomplete="off"
            spellcheck={false}
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="danger" disabled={!isConfirmed || isBusy}>
          {`Delete ${kind}`}
        </button>
        {problem !== "" && <p role="alert">{`Could not delete the ${kind}. ${problem}`}</p>}
        <p role="status">{done}</p>
      </form>
    </details>
  );
}

function whereOf(module: string | undefined): string {
  if (module === undefined) return " in all modules";
  return module === "" ? "" : ` in the module ${isolate(module)}`;
}

export function sentenceOf({ deleted, isComplete }: Awaited<ReturnType<typeof deleteSeries>>): string {
  const what = `Deleted ${exactly(deleted.functions, "function")} with ${exactly(deleted.calls, "call")}.`;
  return isComplete
    ? what
    : `${what} D1 did not answer, so the deletion reaches it later. No number includes them any more.`;
}
