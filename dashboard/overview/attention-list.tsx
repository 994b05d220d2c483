/** Lists the functions that need attention, each with the server's reason. Then muted ones, and those that it cannot judge. */
import { useMemo, useState } from "preact/hooks";
import { exactly } from "../format.ts";
import { LABELS, Shape } from "../parts/mark.tsx";
import { FunctionTitle } from "../parts/name.tsx";
import { Sparkline } from "../parts/sparkline.tsx";
import { useTimes } from "../times/times.ts";
import { Link } from "../view/link.tsx";
import type { View } from "../view/view.ts";
import { type AttentionItem, functionsIn, type UnknownItem } from "./judgement.ts";
import { MuteForm, UnmuteButton } from "./mute-form.tsx";
import type { Row } from "./rows.ts";

const SHOWN = 5;
/** Names in the list of functions that cannot be judged, for each reason. */
const NAMED = 20;

interface AttentionListProps {
  items: readonly AttentionItem[];
  /** The table's rows, for their sparklines. */
  rows: readonly Row[];
  view: View;
  /** After an item was muted. */
  onMute: () => void;
}

export function AttentionList({ items, rows, view, onMute }: AttentionListProps) {
  const [isWhole, setWhole] = useState(false);
  const sparklines = useMemo(() => new Map(rows.map(({ key, sparkline }) => [key, sparkline])), [rows]);
  if (items.length === 0) return null;
  const shown = isWhole ? items : items.slice(0, SHOWN);
  return (
    <section class="attention" aria-label="Needs attention">
      <ul>
        {shown.map((item) => (
          <Item
            key={item.key}
            item={item}
            sparkline={sparklines.get(item.rowKey)}
            view={view}
            onMute={onMute}
          />
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
  onMute: () => void;
}

function Item({ item, sparkline, view, onMute }: ItemProps) {
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
      <MuteForm item={item} onChange={onMute} />
    </li>
  );
}

interface MutedListProps {
  items: readonly AttentionItem[];
  view: View;
  onUnmute: () => void;
}

/** Functions that a person has muted. Closed at first. */
export function MutedList({ items, view, onUnmute }: MutedListProps) {
  const times = useTimes();
  if (items.length === 0) return null;
  return (
    <details class="unjudged">
      <summary>{`${exactly(functionsIn(items), "function")} muted`}</summary>
      <ul>
        {items.map((item) => {
          const { key, service, module, function: name, kind, sentence, mute } = item;
          return (
            <li key={key}>
              <Link to={{ ...view, page: "function", of: { service, module, function: name } }}>
                <FunctionTitle service={service} module={module} name={name} />
              </Link>
              {` ${LABELS[kind]}: ${sentence} Muted until ${times.moment(mute!.until)}: ${mute!.reason} `}
              <UnmuteButton item={item} onChange={onUnmute} />
            </li>
          );
        })}
      </ul>
    </details>
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
