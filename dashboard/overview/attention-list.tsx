/** The list of functions that need attention, each with the server's reason, and those that it cannot judge yet. */
import { useMemo, useState } from "preact/hooks";
import { exactly } from "../format.ts";
import { LABELS, Shape } from "../parts/mark.tsx";
import { FunctionTitle } from "../parts/name.tsx";
import { Sparkline } from "../parts/sparkline.tsx";
import { useTimes } from "../times/times.ts";
import { Link } from "../view/link.tsx";
import type { View } from "../view/view.ts";
import { type AttentionItem, functionsIn, type UnknownItem } from "./judgement.ts";
import type { Row } from "./rows.ts";

const SHOWN = 5;
/** Names in the list of functions that cannot be judged, for each reason. */
const NAMED = 20;

interface AttentionListProps {
  items: readonly AttentionItem[];
  /** The table's rows, for their sparklines. */
  rows: readonly Row[];
  view: View;
}

export function AttentionList({ items, rows, view }: AttentionListProps) {
  const [isWhole, setWhole] = useState(false);
  const sparklines = useMemo(() => new Map(rows.map(({ key, sparkline }) => [key, sparkline])), [rows]);
  if (items.length === 0) return null;
  const shown = isWhole ? items : items.slice(0, SHOWN);
  return (
    <section class="attention" aria-label="Needs attention">
      <ul>
        {shown.map((item) => (
          <Item key={item.key} item={item} sparkline={sparklines.get(item.rowKey)} view={view} />
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

interface ItemProps {
  item: AttentionItem;
  sparkline: Row["sparkline"] | undefined;
  view: View;
}

function Item({ item, sparkline, view }: ItemProps) {
  const { service, module, function: name, kind, sentence, since } = item;
  const times = useTimes();
  return (
    <li class={kind}>
      <Link to={{ ...view, page: "function", of: { service, module, function: name } }}>
        <span class="kind">
          <Shape kind={kind} />
          {LABELS[kind]}
        </span>
        <span class="who">
          <FunctionTitle service={service} module={module} name={name} />
        </span>
        <span class="why" title={since === null ? undefined : `Since ${times.moment(since)}`}>
          {sentence}
        </span>
        {sparkline && <Sparkline {...sparkline} />}
      </Link>
    </li>
  );
}

/** Functions without enough history. Closed at first, because nothing needs to be done about them. */
export function UnknownList({ items, view }: { items: readonly UnknownItem[]; view: View }) {
  if (items.length === 0) return null;
  const reasons = Map.groupBy(items, ({ kind, reason }) => `${LABELS[kind]}: ${reason}`);
  return (
    <details class="unjudged">
      <summary>{`${exactly(functionsIn(items), "function")} cannot be judged yet`}</summary>
      {Array.from(reasons, ([reason, of]) => (
        <section key={reason}>
          <p>{reason}</p>
          <ul>
            {of.slice(0, NAMED).map(({ rowKey, service, module, function: name }) => (
              <li key={rowKey}>
                <Link to={{ ...view, page: "function", of: { service, module, function: name } }}>
                  <FunctionTitle service={service} module={module} name={name} />
                </Link>
              </li>
            ))}
            {of.length > NAMED && <li>{`and ${exactly(of.length - NAMED, "other")}`}</li>}
          </ul>
        </section>
      ))}
    </details>
  );
}
