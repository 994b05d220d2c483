/** The rules that hold: what each judges, and buttons that switch it off and on, or delete it. */
import { type AlertList, deleteRule, putRule } from "../api/client.ts";
import { useAction } from "./use-action.ts";

type Rule = AlertList["rules"][number];

export function RuleTable({ list, refresh }: { list: AlertList; refresh: () => void }) {
  const { said, run } = useAction(refresh);
  return (
    <section class="card">
      <h2>Rules</h2>
      <p>A function's own page makes a rule from what is seen there. docs/alerts.md describes all fields.</p>
      <p role="status">{said}</p>
      <table class="failures">
        <caption class="heard">Rules</caption>
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col">Fires when</th>
            <th scope="col">Functions</th>
            <th scope="col">Severity</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {list.rules.map((one) => (
            <tr key={one.id}>
              <th scope="row">{one.rule.name ?? one.id}</th>
              <td>{conditionOf(one.rule)}</td>
              <td>{selectorOf(one.rule)}</td>
              <td>{one.rule.enabled ? one.rule.severity : "switched off"}</td>
              <td class="number">
                <button
                  type="button"
                  aria-label={`Switch ${one.rule.enabled ? "off" : "on"} ${one.id}`}
                  onClick={() =>
                    void run(
                      async () => void (await putRule(one.id, { ...one.rule, enabled: !one.rule.enabled })),
                      `${one.id} is ${one.rule.enabled ? "off" : "on"}.`,
                    )
                  }
                >
                  {one.rule.enabled ? "Switch off" : "Switch on"}
                </button>{" "}
                {!one.isDefault && (
                  <button
                    type="button"
                    aria-label={`Delete the rule ${one.id}`}
                    onClick={() => void run(() => deleteRule(one.id), `${one.id} is deleted.`)}
                  >
                    Delete
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

const ATTENTION = {
  failing: "it fails more than in its own past",
  silent: "it is not called, though it usually is",
  slower: "its p95 is clearly above that of this hour on earlier days",
};

function conditionOf(rule: Rule["rule"]): string {
  switch (rule.kind) {
    case "threshold": {
      const [word, value] = rule.above === undefined ? ["below", rule.below] : ["above", rule.above];
      return `${rule.figure} over ${rule.window} is ${word} ${value}`;
    }
    case "objective":
      return rule.latency
        ? `too many calls take longer than ${rule.latency[0]} ms, for ${rule.latency[1]} % to be faster`
        : `too many calls fail, for ${rule.success} % to succeed`;
    case "silence":
      return rule.after === undefined ? ATTENTION.silent : `it is not called for ${rule.after}`;
    case "change":
      return `${rule.figure} is clearly worse than at this hour on earlier days`;
    case "attention":
      return ATTENTION[rule.judges];
  }
}

function selectorOf({ selector }: Rule["rule"]): string {
  const parts = [selector.service, selector.module, selector.function].filter((part) => part !== undefined);
  return parts.length === 0 ? "all" : parts.join(" / ");
}
