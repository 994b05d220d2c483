import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { KeyQuota } from "../../src/buffer/key-quota.ts";
import { buffer } from "../worker.ts";

const LARGE = 100_000;

const withStorage = (test: (sql: SqlStorage) => void) =>
  runInDurableObject(buffer(), (_, { storage }) => test(storage.sql));
const rows = (sql: SqlStorage) => sql.exec("SELECT owner, day FROM key_quota ORDER BY day").toArray();

describe("a quota", () => {
  it("is the owner's share of all keys", () =>
    withStorage((sql) => {
      const quota = new KeyQuota(sql);
      expect(quota.of("a")).toBe(0);
      quota.add(1, "a", LARGE);
      expect(quota.of("a")).toBe(1);
      for (let i = 0; i < 3; i++) quota.add(1, "b", LARGE);
      expect(quota.of("a")).toBe(0.25);
      expect(quota.of("unknown")).toBe(0);
    }));

  it("survives an eviction, but for the last 64 KB of an owner", () =>
    withStorage((sql) => {
      const quota = new KeyQuota(sql);
      quota.add(1, "a", LARGE);
      quota.add(1, "b", 1_000);
      expect(new KeyQuota(sql).of("a")).toBe(1);
    }));

  it("writes one row for many keys", () =>
    withStorage((sql) => {
      const quota = new KeyQuota(sql);
      for (let i = 0; i < 600; i++) quota.add(1, "a", 36);
      expect(rows(sql)).toEqual([]);
      for (let i = 0; i < 60; i++) quota.add(1, "a", LARGE);
      expect(rows(sql)).toEqual([{ owner: "a", day: 1 }]);
    }));

  it("no longer counts the keys of days that were deleted, before an eviction and after", () =>
    withStorage((sql) => {
      const quota = new KeyQuota(sql);
      for (let i = 0; i < 3; i++) quota.add(1, "a", LARGE);
      quota.add(2, "a", LARGE);
      quota.add(2, "b", LARGE);
      quota.keepFrom(2);
      expect(quota.of("a")).toBe(0.5);
      expect(new KeyQuota(sql).of("a")).toBe(0.5);
      quota.keepFrom(3);
      expect([quota.of("a"), new KeyQuota(sql).of("a")]).toEqual([0, 0]);
      expect(rows(sql)).toEqual([]);
    }));
});
