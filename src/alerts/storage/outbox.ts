/** Messages that wait to be delivered. A message stays until its target has taken it, refuses it, or three days have passed. */
import type { Message } from "../notify/message.ts";
import type { Planned } from "../notify/plan.ts";

export interface Waiting {
  id: string;
  target: string;
  /** Epoch milliseconds. */
  due: number;
  attempts: number;
  message: Message;
}

const FIRST_BACKOFF_MS = 15_000;
const LONGEST_BACKOFF_MS = 60 * 60 * 1000;
const GIVEN_UP_AFTER_MS = 3 * 24 * 60 * 60 * 1000;
/** Messages that one alarm delivers. */
const AT_ONCE = 20;

export class AlertOutbox {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  add({ target, lane, message }: Planned, now: number): void {
    this.#sql.exec(
      "INSERT INTO outbox (id, lane, target, due, attempts, message) VALUES (?, ?, ?, ?, 0, ?)",
      message.id,
      lane,
      target,
      now,
      JSON.stringify(message),
    );
  }

  /** The oldest message of each lane, if it is due. */
  due(now: number): Waiting[] {
    return this.#heads()
      .filter(({ due }) => due <= now)
      .slice(0, AT_ONCE);
  }

  /** When the next message is due, in epoch milliseconds. Null if none waits. */
  nextDue(): number | null {
    const times = this.#heads().map(({ due }) => due);
    return times.length === 0 ? null : Math.min(...times);
  }

  count(): number {
    return this.#sql.exec<{ count: number }>("SELECT COUNT(*) AS count FROM outbox").one().count;
  }

  remove(id: string): void {
    this.#sql.exec("DELETE FROM outbox WHERE id = ?", id);
  }

  removeTarget(target: string): void {
    this.#sql.exec("DELETE FROM outbox WHERE target = ?", target);
  }

  hold(id: string, until: number): void {
    this.#sql.exec("UPDATE outbox SET due = ? WHERE id = ?", until, id);
  }

  /** Sets the time of the next attempt. False if it is given up. */
  retry({ id, attempts, message }: Waiting, now: number, afterSeconds: number | undefined): boolean {
    if (now - message.at * 1000 > GIVEN_UP_AFTER_MS) {
      this.remove(id);
      return false;
    }
    const backoff = Math.min(FIRST_BACKOFF_MS * 2 ** attempts, LONGEST_BACKOFF_MS);
    const due = now + Math.max(backoff, (afterSeconds ?? 0) * 1000);
    this.#sql.exec("UPDATE outbox SET attempts = ?, due = ? WHERE id = ?", attempts + 1, due, id);
    return true;
  }

  /** Makes the messages of a target due now, as after it was repaired. */
  hurry(target: string, now: number): void {
    this.#sql.exec("UPDATE outbox SET due = ? WHERE target = ? AND due > ?", now, target, now);
  }

  #heads(): Waiting[] {
    return this.#sql
      .exec<{ id: string; target: string; due: number; attempts: number; message: string }>(
        `SELECT id, target, due, attempts, message FROM outbox
         WHERE n IN (SELECT MIN(n) FROM outbox GROUP BY lane) ORDER BY n`,
      )
      .toArray()
      .map(({ message, ...row }) => ({ ...row, message: JSON.parse(message) as Message }));
  }
}
