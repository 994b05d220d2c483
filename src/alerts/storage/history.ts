/** The last changes of alerts, and the last deliveries of messages, for people. */
import type { Alert } from "../alert.ts";
import type { Severity } from "../rule.ts";
import type { Change } from "../state.ts";
import type { Tables } from "./tables.ts";

/** One change of an alert. Times are epoch seconds. */
export interface AlertEvent {
  at: number;
  change: Change | "acknowledged";
  alert: string;
  rule: string;
  name: string;
  service: string;
  module: string;
  function: string;
  severity: Severity;
  sentence: string;
  value: number | null;
  /** When it fired, if it did. */
  firedAt: number | null;
}

export interface DeliveryEvent {
  at: number;
  target: string;
  message: string;
  kind: string;
  service: string;
  /** The ids of the alerts in it. */
  alerts: string[];
  result: "delivered" | "retry" | "refused" | "given up";
  attempts: number;
  answer: string;
}

/** Entries that are kept of each. */
const KEPT = 1_000;

export class AlertHistory {
  readonly #sql: SqlStorage;
  readonly #tables: Tables;

  constructor(sql: SqlStorage, tables: Tables) {
    this.#sql = sql;
    this.#tables = tables;
  }

  addEvent(event: AlertEvent): void {
    this.#add("events", "event", event);
  }

  addDelivery(delivery: DeliveryEvent): void {
    this.#add("deliveries", "delivery", delivery);
  }

  /** The last ones, latest first. */
  events(limit: number): AlertEvent[] {
    return this.#list<AlertEvent>("events", "event", limit);
  }

  deliveries(limit: number): DeliveryEvent[] {
    return this.#list<DeliveryEvent>("deliveries", "delivery", limit);
  }

  #add(table: "events" | "deliveries", column: string, value: object): void {
    this.#sql.exec(`INSERT INTO ${table} (${column}) VALUES (?)`, JSON.stringify(value));
    this.#sql.exec(`DELETE FROM ${table} WHERE n <= (SELECT MAX(n) FROM ${table}) - ${KEPT}`);
  }

  #list<Value>(table: "events" | "deliveries", column: string, limit: number): Value[] {
    if (!this.#tables.exist) return [];
    return this.#sql
      .exec<{ json: string }>(`SELECT ${column} AS json FROM ${table} ORDER BY n DESC LIMIT ?`, limit)
      .toArray()
      .map(({ json }) => JSON.parse(json) as Value);
  }
}

export function eventOf(alert: Alert, change: AlertEvent["change"], at: number): AlertEvent {
  const { id, rule, name, service, module, function: fn, severity, sentence, value, state } = alert;
  return {
    at,
    change,
    alert: id,
    rule,
    name,
    service,
    module,
    function: fn,
    severity,
    sentence,
    value,
    firedAt: state.firedAt,
  };
}
