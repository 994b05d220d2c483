/** Says why there is no duration: nothing was called, or nothing could be measured. */
import { count, exact, text } from "../format.ts";

interface UnmeasurableProps {
  calls: number;
  /** For a column beside one that says it in words. */
  isShort?: boolean;
}

export function Unmeasurable({ calls, isShort = false }: UnmeasurableProps) {
  const why = calls === 0 ? "There were no calls in this range." : whyUnmeasurable(calls);
  const words = calls === 0 || isShort ? "–" : "not measurable";
  return (
    <span class={words.length > 1 ? "absent words" : "absent"} title={why}>
      {words}
    </span>
  );
}

export function whyUnmeasurable(calls: number): string {
  const which = calls === 1 ? "The call" : `All ${exact(calls)} calls`;
  return `${which} took less time than the caller's clock can see. On Workers the clock stands still between I/O.`;
}

/** Of some calls among others. */
export function someUnmeasurable(unmeasured: number, calls: number): string {
  return `${text(count(unmeasured))} of ${text(count(calls))} calls are not measurable: they took less time than the caller's clock can see.`;
}
