/** The alerts page: what fires, who is told, the rules, and what happened lately. */
import { type AlertList, listAlerts } from "../api/client.ts";
import { useLive } from "../api/use-live.ts";
import { ago, counted } from "../format.ts";
import { Name } from "../parts/name.tsx";
import { Failure, Loading, Stale } from "../parts/notice.tsx";
import { useReport } from "../status/freshness.ts";
import { useNow } from "../times/use-now.ts";
import type { View } from "../view/view.ts";
import { Active } from "./active.tsx";
import { RuleTable } from "./rules.tsx";
import { Targets } from "./targets.tsx";

/** Rules are evaluated once a minute. */
const EVERY_MS = 15_000;

export function Alerts({ view, isPaused }: { view: View; isPaused: boolean }) {
  const live = useLive("alerts", listAlerts, { everyMs: EVERY_MS, isPaused });
  const now = useNow(10_000);
  useReport(live);
  const { data } = live;
  if (!data) {
    return live.error ? <Failure error={live.error} retry={live.refresh} /> : <Loading what="the alerts" />;
  }
  const firing = data.alerts.filter(({ state }) => state !== "pending");
  return (
    <article class="alerts">
      <header class="headline">
        <h1 class={firing.length > 0 ? "trouble" : undefined} aria-live="polite">
          {firing.length > 0 ? `${counted(firing.length, "alert")} firing` : "Nothing fires"}
        </h1>
        <p>{stateOf(data, now)}</p>
      </header>
      <Stale live={live} />
      <Active list={data} view={view} now={now} refresh={live.refresh} />
      <Targets list={data} now={now} refresh={live.refresh} />
      <RuleTable list={data} refresh={live.refresh} />
      <History list={data} now={now} />
    </article>
  );
}

function stateOf(list: AlertList, now: number): string {
  if (!list.isActive) {
    return "Nobody is told of anything yet. Add a target below: then three rules hold for every function, without writing any.";
  }
  if (list.problem !== null) return `The last evaluation failed, so nothing fires or ends: ${list.problem}`;
  const evaluated = list.evaluatedAt === null ? "soon" : ago(Date.parse(list.evaluatedAt), now);
  const waiting = list.waiting > 0 ? ` ${counted(list.waiting, "message")} not delivered yet.` : "";
  return `Rules are judged each minute. Last: ${evaluated}.${waiting}`;
}

function History({ list, now }: { list: AlertList; now: number }) {
  return (
    <section class="card">
      <h2>What happened</h2>
      {list.history.length === 0 && <p>Nothing yet.</p>}
      {list.history.length > 0 && (
        <table class="failures">
          <caption class="heard">Changes of alerts, latest first</caption>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">What</th>
              <th scope="col">Function</th>
              <th scope="col">Why</th>
              <th scope="col">Told</th>
            </tr>
          </thead>
          <tbody>
            {list.history.slice(0, 50).map((event) => (
              <tr key={`${event.at} ${event.alert} ${event.change}`}>
                <td class="number">{ago(Date.parse(event.at), now)}</td>
                <td>{`${event.name} ${event.change}`}</td>
                <td>
                  <Name
                    text={event.function === "*" ? event.service : `${event.function} · ${event.service}`}
                  />
                </td>
                <td>{event.sentence}</td>
                <td>{toldOf(list, event.alert, event.at)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** Who was told of a change, and what they answered. */
function toldOf(list: AlertList, alert: string, at: string): string {
  const [first, last] = [Date.parse(at), Date.parse(at) + 10 * 60_000];
  return list.deliveries
    .filter((one) => one.alerts.includes(alert) && Date.parse(one.at) >= first && Date.parse(one.at) <= last)
    .map(({ target, result, answer }) => `${target}: ${result} (${answer})`)
    .join("; ");
}
