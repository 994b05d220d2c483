/** "Alert me about this": makes a rule for one function from what is seen, and says how often it would have fired. */
import { useState } from "preact/hooks";
import { type FunctionDescription, previewRule, putRule, type WrittenRule } from "../api/client.ts";
import { counted } from "../format.ts";
import type { FunctionName } from "../view/view.ts";
import { useAction } from "./use-action.ts";

interface AlertFormProps {
  of: FunctionName;
  /** What the function did in the range that is shown. */
  seen: FunctionDescription["range"];
}

const KINDS = {
  errorRate: "more than so many percent of calls fail",
  p95Ms: "p95 is above so many milliseconds",
  success: "the objective is missed: so many percent of calls succeed",
  after: "it is not called for so many minutes",
} as const;
type Kind = keyof typeof KINDS;

export function AlertForm({ of, seen }: AlertFormProps) {
  const [kind, setKind] = useState<Kind>("errorRate");
  const [value, setValue] = useState(() => suggestionOf("errorRate", seen));
  const { said, run } = useAction(() => {});
  const rule = ruleOf(of, kind, value);
  const choose = (chosen: Kind) => {
    setKind(chosen);
    setValue(suggestionOf(chosen, seen));
  };
  const preview = async () => {
    const { times, note } = await previewRule(rule);
    return `It would have fired ${counted(times, "time")} in the last seven days.${note === null ? "" : ` ${note}`}`;
  };
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    await run(
      async () => void (await putRule(idOf(of, kind), rule)),
      "The rule is saved. It is judged each minute.",
    );
  };
  return (
    <details class="alert-form">
      <summary>Alert me about this</summary>
      <form onSubmit={(event) => void save(event)}>
        <label>
          Alert when
          <select value={kind} onChange={(event) => choose(event.currentTarget.value as Kind)}>
            {Object.entries(KINDS).map(([name, words]) => (
              <option key={name} value={name}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <label>
          How many
          <input
            type="number"
            required
            min="0"
            step="any"
            value={value}
            onInput={(event) => setValue(event.currentTarget.value)}
          />
        </label>
        <button type="button" onClick={() => void run(preview, "")}>
          How often in 7 days?
        </button>
        <button type="submit">Save rule</button>
      </form>
      <p role="status">{said}</p>
      <p class="hint">Saving needs one of ADMIN_TOKENS. The page Alerts says who is told.</p>
    </details>
  );
}

/** A value that what is seen does not reach. */
function suggestionOf(kind: Kind, { errorRate, p95Ms }: AlertFormProps["seen"]): string {
  switch (kind) {
    case "errorRate":
      return String(Math.min(90, Math.max(5, Math.ceil((errorRate ?? 0) * 300))));
    case "p95Ms":
      return String(Math.ceil((p95Ms ?? 500) * 2));
    case "success":
      return "99.9";
    case "after":
      return "60";
  }
}

function ruleOf({ service, module, function: name }: FunctionName, kind: Kind, value: string): WrittenRule {
  const number = Number(value);
  const escaped = (text: string) => text.replaceAll(/[\\*]/g, "\\$&");
  const selector = {
    service: escaped(service),
    function: escaped(name),
    ...(module === undefined ? {} : { module: escaped(module) }),
  };
  switch (kind) {
    case "errorRate":
      return { kind: "threshold", figure: "errorRate", above: number / 100, for: "2m", selector };
    case "p95Ms":
      return { kind: "threshold", figure: "p95Ms", above: number, for: "2m", selector };
    case "success":
      return { kind: "objective", success: number, selector };
    case "after":
      return { kind: "silence", after: `${Math.max(1, Math.round(number))}m`, selector };
  }
}

/** Saving the same kind of rule again replaces it. */
function idOf({ service, module = "", function: name }: FunctionName, kind: Kind): string {
  const plain = `${service}.${module}.${name}`
    .replaceAll(/[^A-Za-z0-9_-]+/g, ".")
    .replaceAll(/^[^A-Za-z0-9]+/g, "");
  // Names that differ only in other letters get ids of their own.
  let hash = 0;
  for (const letter of `${service}\n${module}\n${name}`)
    hash = (Math.imul(hash, 31) + letter.codePointAt(0)!) >>> 0;
  return `${plain.slice(0, 70) || "function"}.${hash.toString(36)}.${kind}`;
}
