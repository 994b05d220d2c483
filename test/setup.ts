/** Empties all storage before each test and applies the migrations to D1. */
import { applyD1Migrations, type D1Migration, reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach } from "vitest";
import { callAlerts } from "../src/alerts/alerts-object.ts";
import { bufferFor } from "../src/buffer/buffers.ts";

beforeEach(async () => {
  // Wakes D1 and the objects first. `reset` can miss storage that is not loaded, and data of another file would stay.
  await Promise.all([
    env.DB.prepare("SELECT 1").run(),
    bufferFor(env, "shop").health(),
    callAlerts(env, async (alerts) => await alerts.health()),
  ]);
  await reset();
  const { TEST_MIGRATIONS } = env as unknown as { TEST_MIGRATIONS: D1Migration[] };
  await applyD1Migrations(env.DB, TEST_MIGRATIONS);
});
