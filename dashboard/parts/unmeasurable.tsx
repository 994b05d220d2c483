/** Shown in place of a duration: says whether there were no calls, or no calls that the clock could measure. */
import { count, counted, exactly, text } from "../format.ts";

interface UnmeasurableProps {
  calls: number;
  /** Shows a dash only, because another column says it in words. */
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
  const which = calls === 1 ? "The call" : `All ${exactly(calls, "call")}`;
  return `${which} took less time than the caller's clock can measure. On Workers the clock stands still between I/O.`;
}

/** Says how many calls could not be measured. */
export function someUnmeasurable(unmeasured: number, calls: number): string {
  const were = unmeasured === 1 ? "was" : "were";
  const they = unmeasured === 1 ? "It" : "They";
  return `${text(count(unmeasured))} of ${counted(calls, "call")} ${were} not measurable. ${they} took less time than the caller's clock can measure.`;
}
