/** A notification: what changed in one service at one evaluation, for one target. */
import type { Alert } from "../alert.ts";

export interface Message {
  /** The same at each attempt, so that a receiver can drop a repeat. */
  id: string;
  /** "over": all of its alerts ended. */
  kind: "firing" | "over" | "repeat" | "test";
  service: string;
  /** Epoch seconds of the evaluation. */
  at: number;
  /** Alerts that began to fire, or fire still. */
  firing: Alert[];
  /** Alerts that ended. */
  over: Alert[];
  /** Whether the same rule still fires for other functions of the service. By id of the rule. */
  stillFiring: string[];
  /** The address of the collector, for links. */
  origin: string;
}

/** A request that sends a message. */
export interface Delivery {
  url: string;
  headers: Record<string, string>;
  body: string;
}
