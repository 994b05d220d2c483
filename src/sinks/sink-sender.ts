/**
 * The object of one sink, a Durable Object. It holds the configuration, the secrets and the cursor, and sends what changed after
 * the cursor. The cursor moves only when the store has everything before it. docs/sinks.md says why this is exact.
 */
import { DurableObject } from "cloudflare:workers";
import { log, logError } from "../log.ts";
import { readBackfillPage, readFeedPage } from "../store/feed.ts";
import { type Beginning, enterSink, removeSink } from "../store/sinks.ts";
import { Delivery, HeldUpError, TooManyRequestsError } from "./deliver.ts";
import type { SinkNeeds, SinkStatus } from "./interface.ts";
import {
  again,
  beginning,
  coarser,
  neededFrom,
  PAGE_ROWS,
  type Progress,
  type TimeRange,
} from "./progress.ts";
import { RefusedRows } from "./refused-rows.ts";
import { request } from "./request.ts";
import type { Row } from "./sink.ts";
import { shownOf, type SinkConfiguration, targetOf, withOldSecrets, withoutSecrets } from "./targets.ts";
import { Trouble } from "./trouble.ts";

/** How long one alarm may work, in milliseconds. */
const WORK_MS = 20_000;
/** Between two pages of the walk at the beginning. Others use D1 meanwhile. */
const WALK_PAUSE_MS = 1_000;
/** A sink without work looks again after this time, in case that a call which should wake it was lost. */
const LOOK_AGAIN_MS = 60 * 60 * 1000;

interface Settings {
  name: string;
  configuration: SinkConfiguration;
  isRemoved?: boolean;
}

/** What a step was: "more" means that the next one may follow at once. */
type Step = "more" | "walked" | "idle";

export class SinkSender extends DurableObject<Env> {
  readonly #refused: RefusedRows;
  readonly #trouble: Trouble;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#refused = new RefusedRows(ctx.storage.sql);
    // An object without a sink stores nothing.
    if (this.#settings) this.#refused.prepare();
    this.#trouble = new Trouble(ctx.storage.kv);
  }

  /**
   * Sets the configuration. A sink with another store than before begins anew. Secrets that are left out stay.
   *
   * @throws if D1 does not answer. The sink then begins by itself later.
   */
  async configure(name: string, given: SinkConfiguration): Promise<void> {
    const old = this.#settings;
    const configuration = withOldSecrets(given, old?.configuration);
    const isSame =
      old !== undefined &&
      JSON.stringify(withoutSecrets(old.configuration)) === JSON.stringify(withoutSecrets(configuration));
    if (!isSame) this.ctx.storage.kv.delete("progress");
    this.#refused.prepare();
    this.ctx.storage.kv.put("settings", { name, configuration } satisfies Settings);
    this.#trouble.end();
    await this.ctx.storage.setAlarm(Date.now());
    log("sink_configured", { sink: name, type: configuration.type });
    if (!this.#progress) await this.#begin(name);
  }

  /** Removes everything of the sink. Idempotent. */
  async remove(name: string): Promise<void> {
    const settings = this.#settings;
    // WARNING: noted first. A sink that D1 does not know would otherwise enter itself again.
    if (settings) this.ctx.storage.kv.put("settings", { ...settings, isRemoved: true } satisfies Settings);
    await removeSink(this.env.DB, name);
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
    log("sink_removed", { sink: name });
  }

  /** There may be something to send. */
  async wake(): Promise<void> {
    if (!this.#settings || this.#trouble.retryAt > Date.now()) return;
    await this.ctx.storage.setAlarm(Date.now());
  }

  /** Sends everything again, such as after the store has lost rows or refused them. */
  async resend(): Promise<void> {
    const progress = this.#progress;
    if (progress) {
      const base = newBase(progress);
      this.#setProgress(again(progress, base, await this.#enter(this.#settings!.name, base)));
    }
    this.#trouble.end();
    await this.ctx.storage.setAlarm(Date.now());
  }

  /** What D1 must keep for the sink. Null if there is no such sink. */
  needs(): SinkNeeds | null {
    if (!this.#settings) return null;
    const progress = this.#progress;
    if (!progress) return { cursor: 0, deletedTo: 0, walk: { minutes: 0, hours: 0 } };
    return { cursor: progress.cursor.seq, deletedTo: progress.deletedTo, walk: neededFrom(progress) };
  }

  /** D1 will delete these minutes, whether they are sent or not. Returns what the sink needs of D1 from now on. */
  async coarsen(time: TimeRange): Promise<SinkNeeds["walk"]> {
    const { name } = this.#settings!;
    const progress = this.#progress ?? (await this.#begin(name));
    const changed = coarser(progress, time, await this.#enter(name, progress.base));
    this.#setProgress(changed);
    log("sink_coarser", { sink: name, ...time });
    return neededFrom(changed);
  }

  status(): SinkStatus | null {
    const settings = this.#settings;
    if (!settings) return null;
    const progress = this.#progress;
    return {
      name: settings.name,
      configuration: shownOf(settings.configuration),
      cursor: progress?.cursor.seq ?? null,
      sentOfBeginning: progress?.backfill?.sent ?? null,
      isBeginning: !progress || progress.backfill !== null,
      trouble: this.#trouble.current,
      refused: this.#refused.count,
      refusedRows: this.#refused.latest(),
      coarse: progress?.coarse ?? null,
    };
  }

  /** Never throws, because the platform drops an alarm that keeps throwing. */
  override async alarm(): Promise<void> {
    const settings = this.#settings;
    if (!settings) return;
    try {
      if (settings.isRemoved) return await this.remove(settings.name);
      const next = await this.#work();
      if (!this.#isThere) return;
      this.#trouble.end();
      const pause = { more: 0, walked: WALK_PAUSE_MS, idle: LOOK_AGAIN_MS }[next];
      await this.#ringBy(Date.now() + pause);
    } catch (error) {
      if (!this.#isThere) return;
      const isHeldUp = error instanceof HeldUpError;
      if (!isHeldUp) logError("sink_failed", error, { sink: settings.name });
      const reason = isHeldUp ? error.message : `D1 or this Worker failed: ${String(error)}`;
      const retryAt = this.#trouble.begin(reason, isHeldUp && error.isMisconfigured, Date.now());
      log("sink_held_up", { sink: settings.name, reason });
      await this.ctx.storage.setAlarm(retryAt);
    }
  }

  /** Steps until there is nothing to do, or until the time is over. */
  async #work(): Promise<Step> {
    const until = performance.now() + WORK_MS;
    let step: Step = "idle";
    while (this.#isThere) {
      step = await this.#step(this.#settings!);
      if (step !== "more" || performance.now() > until) return step;
    }
    return step;
  }

  /** WARNING: progress is stored only after the store has answered for everything before it. */
  async #step({ name, configuration }: Settings): Promise<Step> {
    const progress = this.#progress ?? (await this.#begin(name));
    const delivery = new Delivery(targetOf(configuration), configuration, (outgoing) =>
      this.#request(outgoing),
    );
    const { base, cursor, segments, deletedTo, pageRows } = progress;
    const state = { name, base, cursor, segments };
    const page = await readFeedPage(this.env.DB, state, deletedTo, pageRows);
    if (page.status === "changed") return this.#beginAgain(name, progress);
    for (const { seq, selector } of page.deletions) await delivery.deletion({ selector, below: base + seq });
    if (progress.clearing) {
      const { below, ...time } = progress.clearing;
      await delivery.deletion({ time, below });
      return this.#advance(progress, { deletedTo: page.head, clearing: null });
    }
    if (page.to.seq > cursor.seq) {
      if (!(await this.#send(delivery, progress, page.rows))) return "more";
      return this.#advance(progress, { deletedTo: page.head, cursor: page.to });
    }
    if (page.deletions.length > 0) this.#advance(progress, { deletedTo: page.head });
    if (!progress.backfill) return "idle";
    const { position, from, sent } = progress.backfill;
    const walk = await readBackfillPage(this.env.DB, state, position, from, pageRows);
    if (walk.status === "changed") return this.#beginAgain(name, progress);
    if (!(await this.#send(delivery, progress, walk.rows))) return "more";
    const backfill =
      walk.position === null ? null : { position: walk.position, from, sent: sent + walk.rows.length };
    this.#advance(progress, { deletedTo: page.head, backfill });
    return backfill === null ? "more" : "walked";
  }

  /** False if the rows need too many requests: the next step takes fewer. @throws {HeldUpError} */
  async #send(
    delivery: Delivery<SinkConfiguration>,
    { base, pageRows }: Progress,
    found: readonly (Omit<Row, "version"> & { seq: number })[],
  ): Promise<boolean> {
    const rows = found.map(({ seq, ...row }): Row => ({ ...row, version: base + seq }));
    try {
      this.#refused.note(rows, await delivery.rows(rows), Date.now());
      return true;
    } catch (error) {
      if (!(error instanceof TooManyRequestsError) || pageRows === 1) throw error;
      this.#setProgress({ ...this.#progress!, pageRows: Math.max(1, pageRows >> 3) });
      return false;
    }
  }

  #advance(progress: Progress, changed: Partial<Progress>): "more" {
    const pageRows = Math.min(PAGE_ROWS, progress.pageRows * 2);
    // What another call has changed meanwhile stays: `coarsen` and `resend` move the cursor and the walk.
    const current = this.#progress;
    if (JSON.stringify(current) === JSON.stringify(progress)) {
      this.#setProgress({ ...progress, pageRows, ...changed });
    }
    return "more";
  }

  async #begin(name: string): Promise<Progress> {
    const base = Date.now();
    const progress = beginning(base, await this.#enter(name, base), base);
    this.#setProgress(progress);
    return progress;
  }

  async #beginAgain(name: string, progress: Progress): Promise<"more"> {
    const base = newBase(progress);
    log("sink_begins_again", { sink: name });
    this.#setProgress(again(progress, base, await this.#enter(name, base)));
    return "more";
  }

  /** @throws {HeldUpError} if the sink was removed meanwhile */
  async #enter(name: string, base: number): Promise<Beginning> {
    const begun = await enterSink(this.env.DB, name, base);
    if (this.#isThere) return begun;
    await removeSink(this.env.DB, name);
    throw new HeldUpError("The sink was removed.");
  }

  async #request(outgoing: Parameters<typeof request>[0]): ReturnType<typeof request> {
    try {
      return await request(outgoing, this.env.OPEN_WITHOUT_TOKENS === "true");
    } catch (error) {
      const { name, message } = error as Error;
      throw new HeldUpError(message, name === "RefusedAddressError");
    }
  }

  /** Does not replace an earlier alarm, which a call has set while the handler ran. */
  async #ringBy(at: number): Promise<void> {
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > at) await this.ctx.storage.setAlarm(at);
  }

  get #isThere(): boolean {
    const settings = this.#settings;
    return settings !== undefined && settings.isRemoved !== true;
  }

  get #settings(): Settings | undefined {
    return this.ctx.storage.kv.get<Settings>("settings");
  }

  get #progress(): Progress | undefined {
    return this.ctx.storage.kv.get<Progress>("progress");
  }

  #setProgress(progress: Progress): void {
    this.ctx.storage.kv.put("progress", progress);
  }
}

/** More than a sink can be behind, in flushes. */
const FLUSHES_BEHIND = 1_000_000;

/** Higher than every version so far, also if the clock went back. */
function newBase({ base, cursor }: Progress): number {
  return Math.max(Date.now(), base + cursor.seq + FLUSHES_BEHIND);
}
