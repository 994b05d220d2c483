/**
 * D1's tables for drizzle. `npm run migration` writes a migration for changes made here. drizzle-kit does not know WITHOUT
 * ROWID, the view, and the search indexes with their triggers: add those to the migration by hand.
 *
 * Three names in SQL are older than the names in code: `width` is the resolution, `floor` is the low watermark, and `sweeps`
 * holds the last retention job. This file maps them.
 *
 * Times are epoch milliseconds, except a rollup's `start` and resolution, which are seconds.
 */
import {
  customType,
  integer,
  primaryKey,
  real,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import { type Buckets, type Histogram, toBuckets } from "../stats/histogram.ts";

/** Sparse JSON, `{ "index": count }`, because SQLite can merge that in one upsert. */
const histogram = customType<{ data: Buckets; driverData: string }>({
  dataType: () => "text",
  fromDriver: (text) => toBuckets(JSON.parse(text) as Histogram),
});

/** The columns of a tally. */
const tally = () => ({
  calls: integer("calls").notNull(),
  errors: integer("errors").notNull(),
  unmeasured: integer("unmeasured").notNull(),
  sumUs: integer("sum_us").notNull(),
  minMs: real("min_ms"),
  maxMs: real("max_ms"),
  buckets: histogram("histogram").notNull(),
});

const seen = () => ({
  firstSeen: integer("first_seen").notNull(),
  lastSeen: integer("last_seen").notNull(),
});

/** A function and its totals over all time. `GET /metrics` reads one row for each function. */
export const functions = sqliteTable(
  "functions",
  {
    id: integer("id").primaryKey(),
    service: text("service").notNull(),
    module: text("module").notNull(),
    name: text("name").notNull(),
    ...tally(),
    ...seen(),
  },
  // The module comes last, so that the index also finds a function without its module.
  (table) => [uniqueIndex("functions_identity").on(table.service, table.name, table.module)],
);

/**
 * The sums of one function over one minute, hour or day. WITHOUT ROWID.
 *
 * While an hour is open, its calls are in its minutes. Once it is closed, its hour rollup includes all its minutes, and the
 * minutes stay until the retention job deletes them. The same holds for days and their hours. See `close-rollups.ts`.
 */
export const rollups = sqliteTable(
  "rollups",
  {
    functionId: integer("function_id").notNull(),
    /** Length in seconds: a minute, an hour or a day. */
    resolution: integer("width").notNull(),
    /** Epoch seconds. */
    start: integer("start").notNull(),
    ...tally(),
  },
  (table) => [primaryKey({ columns: [table.functionId, table.resolution, table.start] })],
);

/** Which hours and which days are closed: one row for each of the two, none before the first is closed. WITHOUT ROWID. */
export const closed = sqliteTable("closed", {
  /** Seconds: an hour or a day. */
  resolution: integer("resolution").primaryKey(),
  /** What starts before this time is closed, for every function. Epoch seconds. */
  until: integer("until").notNull(),
  /** What starts before this time is closed for functions with ids up to `upto`. Equal to `until` between two passes. */
  next: integer("next").notNull(),
  upto: integer("upto").notNull(),
});

/** How many calls of a function ended in an error with this name and message. WITHOUT ROWID. */
export const failures = sqliteTable(
  "failures",
  {
    functionId: integer("function_id").notNull(),
    name: text("name").notNull(),
    message: text("message").notNull(),
    calls: integer("calls").notNull(),
    ...seen(),
  },
  (table) => [primaryKey({ columns: [table.functionId, table.name, table.message] })],
);

/**
 * Deletions of series, by the id that each got in its epoch. Flushes with lower ids of the epoch must not bring the series
 * back. The retention job deletes an entry once all these flushes are settled. WITHOUT ROWID.
 */
export const deletions = sqliteTable(
  "deletions",
  {
    epoch: text("epoch").notNull(),
    n: integer("n").notNull(),
    service: text("service").notNull(),
    /** Null for all modules. */
    module: text("module"),
    /** Null for all functions. */
    name: text("name"),
  },
  (table) => [primaryKey({ columns: [table.epoch, table.n] })],
);

/** Ids of deleted functions whose rollups and failures are still there. No new function gets such an id. */
export const deletedFunctions = sqliteTable("deleted_functions", {
  functionId: integer("function_id").primaryKey(),
});

/** The ledger's entries: flushes that were applied or dropped. Entries below the low watermark are deleted. WITHOUT ROWID. */
export const flushes = sqliteTable(
  "flushes",
  {
    epoch: text("epoch").notNull(),
    n: integer("n").notNull(),
    /** 0 if a person dropped the flush. */
    appliedAt: integer("applied_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.epoch, table.n] })],
);

/** The ledger's low watermarks: every flush of the epoch below it is settled for ever. WITHOUT ROWID. */
export const epochs = sqliteTable("epochs", {
  epoch: text("epoch").primaryKey(),
  lowWatermark: integer("floor").notNull(),
});

/**
 * What `GET /attention` has read of the past, for new isolates. A copy, that may be deleted at any time: all rows are of one
 * moment, and each holds some of the functions.
 */
export const attentionMemory = sqliteTable("attention_memory", {
  part: integer("part").primaryKey(),
  epoch: text("epoch").notNull(),
  readAt: integer("read_at").notNull(),
  /** JSON, as in `read/attention-stored.ts`. */
  functions: text("functions").notNull(),
});

/** Which functions need no attention until a time (epoch milliseconds), although they fail, for example. WITHOUT ROWID. */
export const mutes = sqliteTable(
  "mutes",
  {
    service: text("service").notNull(),
    name: text("name").notNull(),
    module: text("module").notNull(),
    /** "failing", "silent" or "slower". */
    kind: text("kind").notNull(),
    until: integer("until").notNull(),
    reason: text("reason").notNull(),
  },
  (table) => [primaryKey({ columns: [table.service, table.name, table.module, table.kind] })],
);

/** The report of the last retention job. One row with id 0. */
export const retentionRuns = sqliteTable("sweeps", {
  id: integer("id").primaryKey(),
  finishedAt: integer("finished_at").notNull(),
  /** Rollups that it deleted because coarser ones include them. */
  moved: integer("moved").notNull(),
  prunedFailures: integer("pruned_failures").notNull(),
  /** False if more was due than one run may do, or if a step failed. */
  complete: integer("complete", { mode: "boolean" }).notNull(),
});

/** Sinks that follow the feed. While there is none, no flush writes to the feed. WITHOUT ROWID. docs/sinks.md explains it. */
export const sinks = sqliteTable("sinks", {
  name: text("name").primaryKey(),
  /** What the sink adds to `seq` for its versions. Another value than the sink's own means that D1 went back in time. */
  base: integer("base").notNull(),
});

/** The change feed: one row for each flush that was applied while there was a sink. */
export const feed = sqliteTable("feed", {
  /** Counts up by one in the order of commits. The newest row stays, so that no number comes again. */
  seq: integer("seq").primaryKey(),
  /** `<epoch>:<n>` */
  flush: text("flush").notNull(),
  /** When it was applied, in epoch seconds. */
  at: integer("at").notNull(),
  /** The first minute that it changed and that is not deleted yet. Null if there is none. */
  oldest: integer("oldest"),
  /** The number of `keys`. */
  size: integer("size").notNull(),
  /** The minutes that it changed: a JSON array of [function id, minute]. */
  keys: text("keys").notNull(),
  /** Its deltas in minutes that were deleted already, as a JSON array. Null if there are none. */
  late: text("late"),
  /** The series that it deletes, as JSON. Null if none. */
  deletion: text("deletion"),
});

/**
 * Rollups of a resolution that start before this time (epoch seconds) are deleted and must not be made again. Kept only while
 * there are sinks. WITHOUT ROWID.
 */
export const swept = sqliteTable("swept", {
  resolution: integer("resolution").primaryKey(),
  before: integer("before").notNull(),
});
