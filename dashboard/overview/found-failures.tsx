/** Searches on the server: lists failures that match the search text, and suggests another text if nothing does. */
import { Fragment } from "preact";
import { useEffect, useState } from "preact/hooks";
import { search } from "../api/client.ts";
import { type Live, useLive } from "../api/use-live.ts";
import { ago, counted } from "../format.ts";
import { Name } from "../parts/name.tsx";
import { useNow } from "../times/use-now.ts";
import { Link } from "../view/link.tsx";
import type { View } from "../view/view.ts";
import { matching, type Named } from "./matching.ts";

/** Milliseconds without a keystroke before the search starts. */
const TYPING_MS = 200;
const SHOWN = 6;

type Answer = Awaited<ReturnType<typeof search>>;

export interface Found extends Answer {
  live: Live<Answer>;
}

const NOTHING: Answer = { failures: [], didYouMean: [] };

/** Undefined without a search. */
export function useFound(view: View): Found | undefined {
  const q = useSettled(view.q.trim(), TYPING_MS);
  const live = useLive<Answer>(`search ${q}`, async (signal) => (q === "" ? NOTHING : search(q, signal)), {
    everyMs: null,
    isPaused: false,
  });
  if (q === "" || view.q.trim() === "") return undefined;
  const { failures, didYouMean } = (live.isCurrent && live.data) || NOTHING;
  const isChosen = ({ service }: { service: string }) => view.service === "" || service === view.service;
  return { failures: failures.filter(isChosen), didYouMean, live };
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

/** Suggestions without a function in the chosen service are left out. */
export function NothingFound({
  found,
  rows,
  view,
}: {
  found: Found | undefined;
  rows: readonly Named[];
  view: View;
}) {
  const names = (found?.didYouMean ?? []).filter((q) => matching(rows, { ...view, q }).length > 0);
  return (
    <p class="nothing">
      No matching functions.
      {names.length > 0 && " Did you mean "}
      {names.map((q, i) => (
        <Fragment key={q}>
          {i > 0 && " or "}
          <Link to={{ ...view, q }}>
            <Name text={q} />
          </Link>
        </Fragment>
      ))}
      {names.length > 0 && "?"}
    </p>
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
