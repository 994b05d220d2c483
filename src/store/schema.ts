/**
 * D1's tables. `npm run migration` makes a migration of what changes here; WITHOUT ROWID, the view, and the search
 * indexes with their triggers are not known to drizzle-kit and are added to it by hand.
 *
 * Times are epoch milliseconds, but `start` and `width`, which are seconds.
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

/** Sparse JSON, `{ "index": count }`: SQLite merges that in one upsert. */
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

/** A function and its totals since the beginning: `GET /metrics` reads one row for each. */
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
  // The module last: one that is asked for without its module is found as quickly.
  (table) => [uniqueIndex("functions_identity").on(table.service, table.name, table.module)],
);

/** One function over one bucket of time. Each acknowledged call stands in exactly one. WITHOUT ROWID. */
export const rollups = sqliteTable(
  "rollups",
  {
    functionId: integer("function_id").notNull(),
    /** Seconds: a minute, an hour or a day. */
    width: integer("width").notNull(),
    /** Epoch seconds. */
    start: integer("start").notNull(),
    ...tally(),
  },
  (table) => [primaryKey({ columns: [table.functionId, table.width, table.start] })],
);

/** How often an error ended a function's calls. WITHOUT ROWID. */
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

/** The ledger: flushes that were applied, at or above their epoch's floor. WITHOUT ROWID. */
export const flushes = sqliteTable(
  "flushes",
  {
    epoch: text("epoch").notNull(),
    n: integer("n").notNull(),
    /** 0 where a person dropped it instead. */
    appliedAt: integer("applied_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.epoch, table.n] })],
);

/** The ledger's floors: every flush of the epoch below it is settled, for ever. WITHOUT ROWID. */
export const epochs = sqliteTable("epochs", {
  epoch: text("epoch").primaryKey(),
  floor: integer("floor").notNull(),
});

/** the last retention job, in one row whose id is 0. */
export const retentionRuns = sqliteTable("sweeps", {
  id: integer("id").primaryKey(),
  finishedAt: integer("finished_at").notNull(),
  /** Rollups that it moved into wider ones. */
  moved: integer("moved").notNull(),
  prunedFailures: integer("pruned_failures").notNull(),
  /** False where more was due than one sweep may do, or where a part of it failed. */
  complete: integer("complete", { mode: "boolean" }).notNull(),
});
