/** Who is told: the targets, each with a test, and a form that adds one. */
import { useState } from "preact/hooks";
import { type AlertList, deleteTarget, putTarget, testTarget } from "../api/client.ts";
import { ago } from "../format.ts";
import { useAction } from "./use-action.ts";

/** What each type asks for. What is secret cannot be read again. */
const FIELDS = {
  webhook: ["url"],
  slack: ["url"],
  teams: ["url"],
  discord: ["url"],
  pagerduty: ["routingKey"],
  ntfy: ["topic"],
  alertmanager: ["url"],
  email: ["from", "to"],
  heartbeat: ["url"],
} as const;
type Type = keyof typeof FIELDS;

interface TargetsProps {
  list: AlertList;
  now: number;
  refresh: () => void;
}

export function Targets({ list, now, refresh }: TargetsProps) {
  const { said, run } = useAction(refresh);
  const test = async (id: string) => {
    const { isDelivered, answer } = await testTarget(id);
    return isDelivered ? `${id} took the sample: ${answer}` : `${id} did not take the sample: ${answer}`;
  };
  return (
    <section class="card">
      <h2>Who is told</h2>
      <p role="status">{said}</p>
      {list.targets.length > 0 && (
        <table class="failures">
          <caption class="heard">Targets</caption>
          <thead>
            <tr>
              <th scope="col">Target</th>
              <th scope="col">Type</th>
              <th scope="col">Severities</th>
              <th scope="col">Last answer</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {list.targets.map(({ id, type, severities, failingSince, lastAt, lastAnswer }) => (
              <tr key={id}>
                <th scope="row">{id}</th>
                <td>{type}</td>
                <td>{severities.join(", ")}</td>
                <td class={failingSince === null ? undefined : "trouble"}>
                  {lastAt === null ? "not used yet" : `${lastAnswer ?? ""}, ${ago(Date.parse(lastAt), now)}`}
                  {failingSince !== null && ` (failing since ${ago(Date.parse(failingSince), now)})`}
                </td>
                <td class="number">
                  <button
                    type="button"
                    aria-label={`Test ${id}`}
                    onClick={() => void run(() => test(id), "")}
                  >
                    Test
                  </button>{" "}
                  <button
                    type="button"
                    aria-label={`Delete the target ${id}`}
                    onClick={() => void run(() => deleteTarget(id), `${id} is deleted.`)}
                  >
                    Delete
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <NewTarget
        onSubmit={(id, target) =>
          run(async () => {
            const { secret } = await putTarget(id, target);
            const once = secret === null ? "Test it." : `Its secret, shown this once: ${secret}`;
            return `${id} is added. ${once}`;
          }, "")
        }
      />
    </section>
  );
}

interface NewTargetProps {
  onSubmit: (id: string, target: Record<string, unknown>) => Promise<boolean>;
}

function NewTarget({ onSubmit }: NewTargetProps) {
  const [type, setType] = useState<Type>("webhook");
  const [id, setId] = useState("");
  const [values, setValues] = useState<Record<string, string>>({});
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const given = FIELDS[type].map((field) => {
      const value = (values[field] ?? "").trim();
      return [field, field === "to" ? value.split(/[\s,]+/) : value];
    });
    if (!(await onSubmit(id.trim(), { type, ...Object.fromEntries(given) }))) return;
    setId("");
    setValues({});
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <label>
        Type
        <select value={type} onChange={(event) => setType(event.currentTarget.value as Type)}>
          {Object.keys(FIELDS).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <label>
        Name
        <input type="text" required value={id} onInput={(event) => setId(event.currentTarget.value)} />
      </label>
      {FIELDS[type].map((field) => (
        <label key={field}>
          {field}
          <input
            type="text"
            required
            autocomplete="off"
            value={values[field] ?? ""}
            onInput={(event) => setValues({ ...values, [field]: event.currentTarget.value })}
          />
        </label>
      ))}
      <button type="submit">Add target</button>
    </form>
  );
}
