/** One row of the functions table. */
import { Component } from "preact";
import { exactly } from "../format.ts";
import { Mark } from "../parts/mark.tsx";
import { Name } from "../parts/name.tsx";
import { Sparkline } from "../parts/sparkline.tsx";
import { Link } from "../view/link.tsx";
import { goTo, type View } from "../view/view.ts";
import { type Column, COUNTS, DURATIONS, LAST_SEEN } from "./columns.tsx";
import type { Row } from "./rows.ts";

interface FunctionRowProps {
  row: Row;
  /** 1 for the first row below the head. */
  index: number;
  view: View;
  now: number;
}

/** Renders only if its properties changed, so scrolling and refreshing skip the other rows. */
export class FunctionRow extends Component<FunctionRowProps> {
  override shouldComponentUpdate(next: FunctionRowProps): boolean {
    const { row, index, view, now } = this.props;
    return next.row !== row || next.index !== index || next.view !== view || next.now !== now;
  }

  override render() {
    return <Cells {...this.props} />;
  }
}

function Cells({ row, index, view, now }: FunctionRowProps) {
  const { service, module, function: name } = row;
  const to: View = { ...view, page: "function", of: { service, module, function: name } };
  const cell = (column: Column) => (
    <td key={column.key} role="cell" class={`number ${column.key}${column.isMarked?.(row) ? " marked" : ""}`}>
      {column.cell(row, now)}
    </td>
  );
  return (
    <tr role="row" aria-rowindex={index + 1} class={row.attention?.kind} onClick={() => goTo(to)}>
      <th role="rowheader" scope="row" class="function">
        {row.attention && <Mark {...row.attention} />}
        <div class="names">
          <Link to={to} title={module === "" ? name : `${name} in ${module}`}>
            <Name text={name} />
          </Link>
          {module !== "" && (
            <span class="module">
              <Name text={module} />
            </span>
          )}
        </div>
      </th>
      <td role="cell" class="service" title={service}>
        <Name text={service} />
      </td>
      <td role="cell" class="activity">
        <Sparkline
          {...row.sparkline}
          label={`${exactly(row.calls, "call")}, ${exactly(row.errors, "error")} over time`}
        />
      </td>
      {COUNTS.map(cell)}
      {DURATIONS.map(cell)}
      {cell(LAST_SEEN)}
    </tr>
  );
}
