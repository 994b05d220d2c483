/** Before each test: empty storage, and D1 as the migrations make it. */
import { applyD1Migrations, type D1Migration, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach } from "vitest";
import { bufferFor } from "../src/buffer/buffers.ts";

beforeEach(async () => {
  // Woken first: `reset` may pass over what slept since the file before, whose data would then be this one's.
  await Promise.all([env.DB.prepare("SELECT 1").run(), bufferFor(env, "shop").health()]);
  await reset();
  const { TEST_MIGRATIONS } = env as unknown as { TEST_MIGRATIONS: D1Migration[] };
  await applyD1Migrations(env.DB, TEST_MIGRATIONS);
});
