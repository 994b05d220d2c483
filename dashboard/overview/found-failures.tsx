/** Lists failures that match the search text. */
import { useEffect, useState } from "preact/hooks";
import { searchFailures } from "../api/client.ts";
import { useLive } from "../api/use-live.ts";
import { ago, count, text } from "../format.ts";
import { Link } from "../view/link.tsx";
import type { View } from "../view/view.ts";

/** Milliseconds without a keystroke before the search starts. */
const TYPING_MS = 200;

export function FoundFailures({ view }: { view: View }) {
  const q = useSettled(view.q.trim(), TYPING_MS);
  if (q === "" || view.q.trim() === "") return null;
  return <Found q={q} view={view} />;
}

function Found({ q, view }: { q: string; view: View }) {
  const found = useLive(q, (signal) => searchFailures(q, signal), null);
  const failures = (found.data ?? []).filter(
    ({ service }) => view.service === "" || service === view.service,
  );
  if (found.error) {
    return <p role="alert">{`Could not search failures. ${found.error.message}`}</p>;
  }
  if (failures.length === 0) return null;
  return (
    <section class="found" aria-label="Matching failures">
      <h2>Failures</h2>
      <ul>
        {failures.map(({ service, module, function: name, failure, snippet, calls, lastSeen }) => (
          <li key={`${service}\n${module}\n${name}\n${failure.name}\n${failure.message}`}>
            <Link to={{ ...view, page: "function", of: { service, module, function: name } }}>
              <Snippet parts={snippet} />
            </Link>{" "}
            <span class="where">
              {`${name}, ${service} · ${text(count(calls))} calls · ${ago(Date.parse(lastSeen), Date.now())}`}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Snippet({ parts }: { parts: readonly { text: string; match: boolean }[] }) {
  return (
    <>
      {parts.map(({ text, match }, i) => (match ? <mark key={i}>{text}</mark> : <span key={i}>{text}</span>))}
    </>
  );
}

/** The value, once it has not changed for `ms` milliseconds. */
function useSettled(value: string, ms: number): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
