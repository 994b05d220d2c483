import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { unstable_readConfig } from "wrangler";

const TEST_MIGRATIONS = await readD1Migrations("migrations");
/** As `npm start` has it: no tokens, and so no rate limit. Named one by one, since `.dev.vars` may say otherwise. */
const bindings = {
  ...unstable_readConfig({ config: "wrangler.toml" }).vars,
  INGEST_TOKENS: "",
  READ_TOKENS: "",
  ADMIN_TOKENS: "",
  OPEN_WITHOUT_TOKENS: "true",
  TEST_MIGRATIONS,
};
/** For the random tests: how many, and which ones again. */
const { HISTORIES = "", SEED = "" } = process.env;
const wrangler = { configPath: "./wrangler.toml" };
/** One project after the other: servers, browsers and simulated histories each want the machine for themselves. */
const order = (groupOrder: number) => ({ sequence: { groupOrder } });
const workerd = { isolate: false, setupFiles: ["test/setup.ts"], testTimeout: 20_000 };

export default defineConfig({
  test: {
    silent: "passed-only",
    projects: [
      {
        // The whole Worker, as deployed: flushes travel through the queue by themselves.
        plugins: [cloudflareTest({ wrangler, miniflare: { bindings } })],
        test: { ...workerd, ...order(0), name: "pipeline", include: ["test/pipeline.test.ts"] },
      },
      {
        // The same Worker, but nothing consumes what it sends: tests deliver, repeat and lose messages themselves.
        plugins: [
          cloudflareTest({
            wrangler,
            miniflare: {
              bindings: { ...bindings, HISTORIES, SEED },
              queueProducers: { QUEUE: { queueName: "not-consumed" } },
            },
          }),
        ],
        test: {
          ...workerd,
          ...order(1),
          name: "stages",
          include: ["test/**/*.test.ts"],
          exclude: ["test/pipeline.test.ts", "test/client/**", "test/dashboard/**", "test/process/**"],
        },
      },
      { test: { ...order(2), name: "client", include: ["test/client/**/*.test.ts"] } },
      {
        // In a real browser, against a real server.
        test: {
          ...order(3),
          name: "dashboard",
          maxWorkers: 2,
          include: ["test/dashboard/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Real servers, killed and started again.
        test: {
          ...order(4),
          name: "process",
          fileParallelism: false,
          include: ["test/process/**/*.test.ts"],
          testTimeout: 180_000,
        },
      },
    ],
  },
});
