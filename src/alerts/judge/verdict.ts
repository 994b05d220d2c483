/** What a rule says of one function at one moment. */
import type { Condition } from "../state.ts";
import type { Severity } from "../rule.ts";

export interface Verdict {
  condition: Condition;
  /** What it is judged by, for charts and templates. Null if it is unknown. */
  value: number | null;
  /** Why, for people: one sentence. If it is unknown, it says what is missing. */
  sentence: string;
  /** Tells apart several alerts of one rule and function. Empty if there is one. */
  part: string;
  /** If it differs from the rule's. */
  severity?: Severity;
  /** Fires at once, without the rule's `for`. */
  isUrgent?: boolean;
}

export function unknown(sentence: string, part = ""): Verdict {
  return { condition: "unknown", value: null, sentence, part };
}

export function verdict(isTrue: boolean, value: number, sentence: string): Verdict {
  return { condition: isTrue ? "true" : "false", value, sentence, part: "" };
}
