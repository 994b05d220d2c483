import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";
import { unstable_readConfig } from "wrangler";
import { watch } from "./scripts/watchdog.ts";

/** Where the system's memory serves as a disk, the simulated storage goes there: most of its time is waiting for disks. */
const onDisk = { TMPDIR: tmpdir() };
const ROOMY_BYTES = 2 ** 31;
const memory = await statfs("/dev/shm").catch(() => undefined);
if (memory && memory.bavail * memory.bsize > ROOMY_BYTES) process.env.TMPDIR = "/dev/shm";

const TEST_MIGRATIONS = await readD1Migrations("migrations");
/** As `npm start` has it: no tokens, and so no rate limit. Named one by one, since `.dev.vars` may say otherwise. */
const bindings = {
  ...unstable_readConfig({ config: "wrangler.toml" }).vars,
  INGEST_TOKENS: "",
  READ_TOKENS: "",
  ADMIN_TOKENS: "",
  OPEN_WITHOUT_TOKENS: "true",
  ALLOWED_HOSTS: "metrics.example",
  TEST_MIGRATIONS,
};
/** For the random tests: how many, and which ones again. */
const { HISTORIES = "", SEED = "" } = process.env;
const wrangler = { configPath: "./wrangler.toml" };
/** One project after the other: servers, browsers and simulated histories each want the machine for themselves. */
const order = (groupOrder: number) => ({ sequence: { groupOrder } });
/** What hangs must end some time; how fast a machine is must not decide a test. */
const patient = { testTimeout: 60_000, hookTimeout: 120_000, setupFiles: ["test/patience.ts"] };
const workerd = { ...patient, isolate: false, setupFiles: [...patient.setupFiles, "test/setup.ts"] };
const node = { ...patient, env: onDisk };

/** Tests of code that needs neither the platform nor a server. */
const PURE = ["test/stats/**/*.test.ts", "test/promql/**/*.test.ts", "test/**/*.pure.test.ts"];

export default defineConfig({
  test: {
    silent: "passed-only",
    projects: [
      {
        // Pure code. It runs in Node, without a server or a simulated platform.
        test: { ...patient, ...order(0), name: "pure", include: PURE },
      },
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
              serviceBindings: { WATCHDOG: watch },
              queueProducers: { QUEUE: { queueName: "not-consumed" } },
            },
          }),
        ],
        test: {
          ...workerd,
          ...order(1),
          name: "stages",
          include: ["test/**/*.test.ts"],
          exclude: [
            ...PURE,
            "test/pipeline.test.ts",
            "test/cli/**",
            "test/client/**",
            "test/dashboard/**",
            "test/process/**",
          ],
        },
      },
      {
        test: { ...node, ...order(2), name: "client", include: ["test/client/**/*.test.ts"] },
      },
      {
        // In a real browser, against a real server.
        test: {
          ...node,
          ...order(3),
          name: "dashboard",
          maxWorkers: 2,
          include: ["test/dashboard/**/*.test.ts"],
        },
      },
      {
        // Real servers, killed and started again.
        test: {
          ...node,
          ...order(4),
          name: "process",
          fileParallelism: false,
          include: ["test/process/**/*.test.ts"],
          testTimeout: 300_000,
        },
      },
      {
        // The command line with the real wrangler, against a local stand-in for the Cloudflare API.
        test: {
          ...node,
          ...order(5),
          name: "cli",
          maxWorkers: 2,
          include: ["test/cli/**/*.test.ts"],
          globalSetup: "test/cli/build.ts",
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
