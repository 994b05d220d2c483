/**
 * The states of an alert and how they follow each other. An alert that is not listed is ok.
 *
 * ok → pending → firing → recovering → ok. Pending lasts for the rule's `for`, recovering for its `keepFiringFor`. A verdict
 * that is unknown changes none of these: the alert neither fires nor resolves until something is known again.
 */

export const PHASES = ["pending", "firing", "recovering"] as const;
export type Phase = (typeof PHASES)[number];

/** All times are epoch seconds. */
export interface AlertState {
  phase: Phase;
  /** When the condition became true. */
  activeAt: number;
  firedAt: number | null;
  /** When the condition became false. Set while recovering. */
  recoveringSince: number | null;
  /** Since when the condition is unknown. Null if it is known. */
  unknownSince: number | null;
}

/** What the condition is at a moment. */
export type Condition = "true" | "false" | "unknown";

export type Change =
  | "pending"
  | "fired"
  | "recovering"
  | "relapsed"
  | "resolved"
  | "dropped"
  | "unknown"
  | "known";

export interface Timing {
  /** Seconds. */
  for: number;
  keepFiringFor: number;
}

/** A pending alert whose condition was unknown for longer waits for the whole of `for` again. */
const LONG_UNKNOWN = 600;

/**
 * The state after `condition` holds at `now`. The state is undefined if the alert is ok.
 *
 * `change` is the most important thing that happened, if anything did. Only "fired" and "resolved" are told to people.
 */
export function nextState(
  state: AlertState | undefined,
  condition: Condition,
  now: number,
  timing: Timing,
): { state: AlertState | undefined; change?: Change } {
  if (condition === "unknown") {
    if (!state || state.unknownSince !== null) return { state };
    return { state: { ...state, unknownSince: now }, change: "unknown" };
  }
  const wasUnknown = state?.unknownSince ?? null;
  const known = state && { ...notAfter(state, now), unknownSince: null };
  const result =
    condition === "true" ? becomeTrue(known, wasUnknown, now, timing) : becomeFalse(known, now, timing);
  return result.change === undefined && wasUnknown !== null ? { ...result, change: "known" } : result;
}

/** A clock that was set back must not make an alert wait for its old time. */
function notAfter(state: AlertState, now: number): AlertState {
  const { activeAt, recoveringSince } = state;
  return {
    ...state,
    activeAt: Math.min(activeAt, now),
    recoveringSince: recoveringSince === null ? null : Math.min(recoveringSince, now),
  };
}

type Result = { state: AlertState | undefined; change?: Change };

function becomeTrue(
  state: AlertState | undefined,
  wasUnknown: number | null,
  now: number,
  timing: Timing,
): Result {
  if (!state) {
    const begun = { activeAt: now, firedAt: null, recoveringSince: null, unknownSince: null };
    if (timing.for > 0) return { state: { ...begun, phase: "pending" }, change: "pending" };
    return { state: { ...begun, phase: "firing", firedAt: now }, change: "fired" };
  }
  switch (state.phase) {
    case "pending": {
      const isStale = wasUnknown !== null && now - wasUnknown > LONG_UNKNOWN;
      const activeAt = isStale ? now : state.activeAt;
      if (now - activeAt < timing.for) return { state: { ...state, activeAt } };
      return { state: { ...state, activeAt, phase: "firing", firedAt: now }, change: "fired" };
    }
    case "firing":
      return { state };
    case "recovering":
      return { state: { ...state, phase: "firing", recoveringSince: null }, change: "relapsed" };
  }
}

function becomeFalse(state: AlertState | undefined, now: number, timing: Timing): Result {
  if (!state) return { state };
  switch (state.phase) {
    case "pending":
      return { state: undefined, change: "dropped" };
    case "firing":
      if (timing.keepFiringFor === 0) return { state: undefined, change: "resolved" };
      return { state: { ...state, phase: "recovering", recoveringSince: now }, change: "recovering" };
    case "recovering":
      if (now - state.recoveringSince! < timing.keepFiringFor) return { state };
      return { state: undefined, change: "resolved" };
  }
}

/** Whether people were or should be told that something is wrong. */
export function isFiring(state: AlertState | undefined): boolean {
  return state !== undefined && state.phase !== "pending";
}
