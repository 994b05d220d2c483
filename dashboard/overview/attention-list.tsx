/** The list of functions that need attention, each with the reason. */
import { useState } from "preact/hooks";
import { Shape } from "../parts/mark.tsx";
import { FunctionTitle } from "../parts/name.tsx";
import { Sparkline, type SparklineProps } from "../parts/sparkline.tsx";
import { useTimes } from "../times/times.ts";
import { Link } from "../view/link.tsx";
import type { View } from "../view/view.ts";
import { type Kind, KINDS } from "./attention.ts";

/** One entry of the list. The server will deliver these, except for `sparkline`. */
export interface AttentionItem {
  key: string;
  service: string;
  module: string;
  function: string;
  kind: Kind;
  /** The current state in a few words. */
  says: string;
  /** The previous state in a few words; empty if unknown. */
  before: string;
  /** When it began, in epoch milliseconds, if that is known. */
  since?: number;
  sparkline?: SparklineProps;
}

const SHOWN = 5;

export function AttentionList({ items, view }: { items: readonly AttentionItem[]; view: View }) {
  const [isWhole, setWhole] = useState(false);
  if (items.length === 0) return null;
  const shown = isWhole ? items : items.slice(0, SHOWN);
  return (
    <section class="attention" aria-label="Needs attention">
      <ul>
        {shown.map((item) => (
          <Item key={item.key} item={item} view={view} />
        ))}
      </ul>
      {items.length > SHOWN && (
        <button type="button" class="more" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? "Show fewer" : `Show ${items.length - SHOWN} more`}
        </button>
      )}
    </section>
  );
}

function Item({ item, view }: { item: AttentionItem; view: View }) {
  const { service, module, function: name, kind, says, before, since, sparkline } = item;
  const times = useTimes();
  return (
    <li class={kind}>
      <Link to={{ ...view, page: "function", of: { service, module, function: name } }}>
        <span class="kind">
          <Shape kind={kind} />
          {KINDS[kind].label}
        </span>
        <span class="who">
          <FunctionTitle service={service} module={module} name={name} />
        </span>
        <span class="why">
          {says}
          {before !== "" && <span class="before">{`, ${before}`}</span>}
          {since !== undefined && <span class="before">{`, since ${times.moment(since)}`}</span>}
        </span>
        {sparkline && <Sparkline {...sparkline} />}
      </Link>
    </li>
  );
}
