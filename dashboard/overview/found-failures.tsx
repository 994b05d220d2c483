/** Searches failures and lists those that match the search text. */
import { useEffect, useState } from "preact/hooks";
import { searchFailures } from "../api/client.ts";
import { type Live, useLive } from "../api/use-live.ts";
import { ago, counted } from "../format.ts";
import { Name } from "../parts/name.tsx";
import { useNow } from "../times/use-now.ts";
import { Link } from "../view/link.tsx";
import type { View } from "../view/view.ts";

/** Milliseconds without a keystroke before the search starts. */
const TYPING_MS = 200;
const SHOWN = 6;

type Failure = Awaited<ReturnType<typeof searchFailures>>[number];

export interface Found {
  failures: readonly Failure[];
  live: Live<Failure[]>;
}

/** Undefined without a search. */
export function useFoundFailures(view: View): Found | undefined {
  const q = useSettled(view.q.trim(), TYPING_MS);
  const live = useLive<Failure[]>(
    `search ${q}`,
    async (signal) => (q === "" ? [] : searchFailures(q, signal)),
    { everyMs: null, isPaused: false },
  );
  if (q === "" || view.q.trim() === "") return undefined;
  const all = live.isCurrent ? (live.data ?? []) : [];
  return { failures: all.filter(({ service }) => view.service === "" || service === view.service), live };
}

export function FoundFailures({ found: { failures, live }, view }: { found: Found; view: View }) {
  const now = useNow(30_000);
  const [isWhole, setWhole] = useState(false);
  if (live.error) return <p role="alert">{`Could not search failures. ${live.error.message}`}</p>;
  if (failures.length === 0) return null;
  const shown = isWhole ? failures : failures.slice(0, SHOWN);
  return (
    <section class="found" aria-label="Matching failures">
      <h2>Matching failures</h2>
      <ul>
        {shown.map(({ service, module, function: name, failure, snippet, calls, lastSeen }) => (
          <li key={`${service}\n${module}\n${name}\n${failure.name}\n${failure.message}`}>
            <Link to={{ ...view, page: "function", of: { service, module, function: name } }}>
              <Snippet parts={snippet} />
            </Link>{" "}
            <span class="where">
              <Name text={name} />
              {module !== "" && (
                <>
                  {", "}
                  <Name text={module} />
                </>
              )}
              {", "}
              <Name text={service} />
              {` · ${counted(calls, "call")} · ${ago(Date.parse(lastSeen), now)}`}
            </span>
          </li>
        ))}
      </ul>
      {failures.length > SHOWN && (
        <button type="button" class="more" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? "Show fewer" : `Show ${failures.length - SHOWN} more`}
        </button>
      )}
    </section>
  );
}

function Snippet({ parts }: { parts: readonly { text: string; match: boolean }[] }) {
  return (
    <bdi>
      {parts.map(({ text, match }, i) => (match ? <mark key={i}>{text}</mark> : <span key={i}>{text}</span>))}
    </bdi>
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
