/** The list of functions that need attention, each with the reason. */
import { useState } from "preact/hooks";
import { Shape } from "../parts/mark.tsx";
import { Sparkline } from "../parts/sparkline.tsx";
import { Link } from "../view/link.tsx";
import type { View } from "../view/view.ts";
import { KINDS } from "./attention.ts";
import type { Row } from "./rows.ts";

const SHOWN = 5;

export function AttentionList({ rows, view }: { rows: readonly Row[]; view: View }) {
  const [isWhole, setWhole] = useState(false);
  if (rows.length === 0) return null;
  const shown = isWhole ? rows : rows.slice(0, SHOWN);
  return (
    <section class="attention" aria-label="Needs attention">
      <ul>
        {shown.map((row) => (
          <Item key={row.key} row={row} view={view} />
        ))}
      </ul>
      {rows.length > SHOWN && (
        <button type="button" class="more" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? "Show fewer" : `Show ${rows.length - SHOWN} more`}
        </button>
      )}
    </section>
  );
}

function Item({ row, view }: { row: Row; view: View }) {
  const { service, module, function: name } = row;
  const { kind, says, before } = row.attention!;
  return (
    <li class={kind}>
      <Link to={{ ...view, page: "function", of: { service, module, function: name } }}>
        <span class="kind">
          <Shape kind={kind} />
          {KINDS[kind].label}
        </span>
        <span class="who">
          <strong>{name}</strong> <span class="service">{service}</span>
        </span>
        <span class="why">
          {says}
          {before !== "" && <span class="before">{`, ${before}`}</span>}
        </span>
        <Sparkline {...row.sparkline} />
      </Link>
    </li>
  );
}
