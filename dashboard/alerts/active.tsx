/** The alerts that are pending or fire, and the silences. */
import { acknowledgeAlert, type AlertList, deleteSilence, putSilence } from "../api/client.ts";
import { ago } from "../format.ts";
import { Name } from "../parts/name.tsx";
import { Link } from "../view/link.tsx";
import type { View } from "../view/view.ts";
import { type Action, useAction } from "./use-action.ts";

const SILENCE_HOURS = 8;

interface ActiveProps {
  list: AlertList;
  view: View;
  now: number;
  refresh: () => void;
}

type Alert = AlertList["alerts"][number];

export function Active({ list, view, now, refresh }: ActiveProps) {
  const action = useAction(refresh);
  if (list.alerts.length === 0 && list.silences.length === 0) return null;
  return (
    <section class="card">
      <h2>Now</h2>
      <p role="status">{action.said}</p>
      {list.alerts.length > 0 && (
        <table class="failures">
          <caption class="heard">Alerts that are pending or fire</caption>
          <thead>
            <tr>
              <th scope="col">Function</th>
              <th scope="col">State</th>
              <th scope="col">Why</th>
              <th scope="col">Since</th>
              <th scope="col">Told</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {list.alerts.map((alert) => (
              <tr key={alert.id}>
                <th scope="row">
                  <Subject alert={alert} view={view} />
                </th>
                <td>{wordsOf(alert)}</td>
                <td>{`${alert.name}: ${alert.sentence}`}</td>
                <td class="number">{ago(Date.parse(alert.firedAt ?? alert.activeAt), now)}</td>
                <td>{alert.told.map(({ target }) => target).join(", ") || "nobody"}</td>
                <td class="number">
                  <Buttons alert={alert} action={action} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {list.silences.map(({ id, isActive, silence }) => (
        <p key={id}>
          {`${isActive ? "Silent" : "Not silent"} until ${silence.endsAt}: ${silence.reason} `}
          <button
            type="button"
            onClick={() => void action.run(() => deleteSilence(id), "The silence is over.")}
          >
            End
          </button>
        </p>
      ))}
    </section>
  );
}

function Subject({ alert, view }: { alert: Alert; view: View }) {
  const { service, module, function: name } = alert;
  if (name === "*") return <Name text={service} />;
  return (
    <Link to={{ ...view, page: "function", of: { service, module, function: name } }}>
      <Name text={`${name} · ${service}`} />
    </Link>
  );
}

function wordsOf({ state, severity, isUnknown, isSilenced, acknowledged }: Alert): string {
  return [
    state,
    severity,
    ...(isUnknown ? ["cannot be judged now"] : []),
    ...(isSilenced ? ["silenced"] : []),
    ...(acknowledged ? ["acknowledged"] : []),
  ].join(", ");
}

function Buttons({ alert, action }: { alert: Alert; action: Action }) {
  const { id, rule, service, module, function: name, acknowledged } = alert;
  const silence = () => {
    const selector = name === "*" ? { service } : { service, module, function: name };
    const endsAt = new Date(Date.now() + SILENCE_HOURS * 3_600_000).toISOString();
    const escaped = Object.fromEntries(
      Object.entries(selector).map(([part, text]) => [part, text.replaceAll(/[\\*]/g, "\\$&")]),
    );
    return putSilence(`page-${id}`, { rule, selector: escaped, endsAt, reason: "Silenced on the page." });
  };
  return (
    <>
      {!acknowledged && (
        <button
          type="button"
          aria-label={`Acknowledge ${name} of ${service}`}
          onClick={() => void action.run(() => acknowledgeAlert(id), "Acknowledged: it is not repeated.")}
        >
          Acknowledge
        </button>
      )}{" "}
      <button
        type="button"
        aria-label={`Silence ${SILENCE_HOURS} h: ${name} of ${service}`}
        onClick={() => void action.run(silence, `Silent for ${SILENCE_HOURS} hours.`)}
      >
        {`Silence ${SILENCE_HOURS} h`}
      </button>
    </>
  );
}
