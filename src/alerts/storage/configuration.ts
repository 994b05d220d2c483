/** What people have set: rules, targets and silences. Kept in memory, and read from storage at the start. */
import { DEFAULT_RULES, type NamedRule, type Rule } from "../rule.ts";
import type { Silence } from "../silence.ts";
import type { PublicTarget, Secrets } from "../target.ts";
import { JsonRows } from "./json-rows.ts";
import type { Tables } from "./tables.ts";

/** What became of a target's deliveries. Times are epoch seconds. */
export interface TargetStatus {
  /** Since when nothing was delivered, though it was tried. Null if the last attempt succeeded. */
  failingSince: number | null;
  lastAt: number | null;
  lastAnswer: string | null;
}

export interface StoredTarget {
  id: string;
  target: PublicTarget;
  secrets: Secrets;
  status: TargetStatus;
}

const UNTRIED: TargetStatus = { failingSince: null, lastAt: null, lastAnswer: null };

export class AlertConfiguration {
  readonly #sql: SqlStorage;
  readonly #tables: Tables;
  readonly #rules: JsonRows<Rule>;
  readonly #silences: JsonRows<Silence>;
  readonly #settings: JsonRows<unknown>;

  constructor(sql: SqlStorage, tables: Tables) {
    this.#sql = sql;
    this.#tables = tables;
    this.#rules = new JsonRows(sql, "rules", "rule");
    this.#silences = new JsonRows(sql, "silences", "silence");
    this.#settings = new JsonRows(sql, "settings", "value", "name");
  }

  /** Rules that people wrote. */
  ownRules(): NamedRule[] {
    if (!this.#tables.exist) return [];
    return this.#rules.all().map(({ id, value }) => ({ ...value, id }));
  }

  /** All rules that hold: those that people wrote, and the default ones that they did not replace. */
  rules(): NamedRule[] {
    const own = this.ownRules();
    const ids = new Set(own.map(({ id }) => id));
    return [...DEFAULT_RULES.filter(({ id }) => !ids.has(id)), ...own];
  }

  putRule(id: string, rule: Rule): void {
    this.#rules.put(id, rule);
  }

  deleteRule(id: string): boolean {
    return this.#tables.exist && this.#rules.delete(id);
  }

  targets(): StoredTarget[] {
    if (!this.#tables.exist) return [];
    return this.#sql
      .exec<{ id: string; target: string; secrets: string; status: string }>(
        "SELECT * FROM targets ORDER BY id",
      )
      .toArray()
      .map(({ id, target, secrets, status }) => ({
        id,
        target: JSON.parse(target) as PublicTarget,
        secrets: JSON.parse(secrets) as Secrets,
        status: JSON.parse(status) as TargetStatus,
      }));
  }

  target(id: string): StoredTarget | undefined {
    return this.targets().find((target) => target.id === id);
  }

  putTarget(id: string, target: PublicTarget, secrets: Secrets): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO targets VALUES (?, ?, ?, ?)",
      id,
      JSON.stringify(target),
      JSON.stringify(secrets),
      JSON.stringify(UNTRIED),
    );
  }

  setStatus(id: string, status: TargetStatus): void {
    this.#sql.exec("UPDATE targets SET status = ? WHERE id = ?", JSON.stringify(status), id);
  }

  deleteTarget(id: string): boolean {
    return this.#tables.exist && this.#sql.exec("DELETE FROM targets WHERE id = ?", id).rowsWritten > 0;
  }

  silences(): { id: string; value: Silence }[] {
    return this.#tables.exist ? this.#silences.all() : [];
  }

  putSilence(id: string, silence: Silence): void {
    this.#silences.put(id, silence);
  }

  deleteSilence(id: string): boolean {
    return this.#tables.exist && this.#silences.delete(id);
  }

  setting(name: string): unknown {
    return this.#tables.exist ? this.#settings.get(name) : undefined;
  }

  putSetting(name: string, value: unknown): void {
    this.#settings.put(name, value);
  }
}
