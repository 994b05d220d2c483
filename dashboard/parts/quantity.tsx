/** A rounded number with its unit. The tooltip shows the exact number. */
import type { Written } from "../format.ts";

interface QuantityProps {
  value: Written;
  /** The exact number, with its unit. */
  exact: string;
}

export function Quantity({ value, exact }: QuantityProps) {
  const isZero = value.number === "0";
  return (
    <span class={isZero ? "quantity zero" : "quantity"} title={exact}>
      {value.number}
      {value.unit !== "" && <span class="unit">{`\u00a0${value.unit}`}</span>}
    </span>
  );
}
