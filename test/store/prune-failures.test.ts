import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { pruneFailures } from "../../src/store/prune-failures.ts";
import { delta, inD1 } from "../flushes.ts";

const DAY = 24 * 60 * 60 * 1000;
const now = Date.UTC(2026, 10, 24, 9, 30);
const yearAgo = now - 365 * DAY;

const failures = async () =>
  (
    await env.DB.prepare(
      "SELECT f.name AS function, x.calls FROM failures x JOIN functions f ON f.id = function_id ORDER BY 1",
    ).all()
  ).results;

it("keeps a failure that occurred again since, however old its first occurrence is", async () => {
  await inD1(delta(now - 400 * DAY, { errors: 1 }));
  await inD1(delta(now - 10 * DAY, { errors: 1 }));
  expect(await pruneFailures(env.DB, yearAgo, 10)).toBe(0);
  expect(await failures()).toEqual([{ function: "a", calls: 2 }]);
});

it("deletes no more failures than the limit, and the others with the next call", async () => {
  for (const name of ["a", "b", "c"]) await inD1(delta(now - 400 * DAY, { name, errors: 1 }));
  expect(await pruneFailures(env.DB, yearAgo, 2)).toBe(2);
  expect(await failures()).toHaveLength(1);
  expect(await pruneFailures(env.DB, yearAgo, 2)).toBe(1);
  expect(await failures()).toEqual([]);
});
