import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig, type ViteUserConfig } from "vitest/config";
import { unstable_readConfig } from "wrangler";
import { checkNamedFiles } from "./scripts/named-files.ts";
import { readOtlpSamples } from "./scripts/otlp-samples.ts";
import { SlowestFirst } from "./scripts/slowest-first.ts";
import { watch } from "./scripts/watchdog.ts";

/** The simulated storage spends most of its time waiting for the disk, so it uses a disk in memory if there is one. */
const onDisk = {
  TMPDIR: tmpdir(),
  // A quarter of the time of a short wrangler command is compiling its own code.
  NODE_COMPILE_CACHE: join(tmpdir(), "metrics-collector-compiled"),
};
const ROOMY_BYTES = 2 ** 31;
const memory = await statfs("/dev/shm").catch(() => undefined);
if (memory && memory.bavail * memory.bsize > ROOMY_BYTES) process.env.TMPDIR = "/dev/shm";

const TEST_MIGRATIONS = await readD1Migrations("migrations");
/** Open without tokens, as with `npm start`, and so without rate limits. These override a developer's `.dev.vars`. */
const bindings = {
  ...unstable_readConfig({ config: "wrangler.toml" }).vars,
  INGEST_TOKENS: "",
  READ_TOKENS: "",
  ADMIN_TOKENS: "",
  OPEN_WITHOUT_TOKENS: "true",
  ALLOWED_HOSTS: "metrics.example",
  TEST_MIGRATIONS,
};
/** HISTORIES is the number of random histories. SEED repeats the random tests of an earlier run. */
const { HISTORIES = "", SEED = "" } = process.env;
const wrangler = { configPath: "./wrangler.toml" };
/**
 * Groups run one after the other, because servers, browsers and random histories each need the whole machine. Projects of
 * one group share its workers.
 */
const order = (groupOrder: number) => ({ sequence: { groupOrder } });
/** These limits only end tests that hang. A slow machine must not make a test fail. */
const patient = { testTimeout: 60_000, hookTimeout: 240_000, setupFiles: ["test/patience.ts"] };
const workerd = { ...patient, isolate: false, setupFiles: [...patient.setupFiles, "test/setup.ts"] };
/** Servers, browsers and clocks of real processes can fail once for reasons outside the code. A fault of the code fails twice. */
const node = { ...patient, ...order(2), env: onDisk, retry: process.env.CI ? 1 : 0, maxWorkers: 2 };

/** Tests of code that needs neither the platform nor a server. */
const PURE = ["test/stats/**/*.test.ts", "test/promql/**/*.test.ts", "test/**/*.pure.test.ts"];

const OTLP_SAMPLES = await readOtlpSamples();
/** The same Worker, but nothing consumes what it sends: tests deliver, repeat and lose messages themselves. */
const notConsumed = () =>
  cloudflareTest({
    wrangler,
    miniflare: {
      bindings: { ...bindings, HISTORIES, SEED, OTLP_SAMPLES },
      serviceBindings: { WATCHDOG: watch },
      queueProducers: { QUEUE: { queueName: "not-consumed" } },
    },
  });

const config = {
  test: {
    silent: "passed-only",
    sequence: { sequencer: SlowestFirst },
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
        plugins: [notConsumed()],
        test: {
          ...workerd,
          ...order(1),
          name: "stages",
          maxWorkers: 2,
          include: ["test/**/*.test.ts"],
          exclude: [
            ...PURE,
            "test/pipeline.test.ts",
            "test/cli/**",
            "test/client/**",
            "test/dashboard/**",
            "test/peers/**",
            "test/process/**",
            "test/releases/**",
          ],
        },
      },
      {
        test: { ...node, name: "client", include: ["test/client/**/*.test.ts"] },
      },
      {
        // In a real browser, against a real server.
        test: {
          ...node,
          name: "dashboard",
          include: ["test/dashboard/**/*.test.ts"],
          globalSetup: "test/cli/build.ts",
        },
      },
      {
        // Real servers, killed and started again. The release before and this one over one state.
        test: {
          ...node,
          name: "process",
          include: ["test/process/**/*.test.ts", "test/releases/**/*.test.ts"],
          testTimeout: 600_000,
        },
      },
      {
        // The command line with the real wrangler, against a local stand-in for the Cloudflare API.
        test: {
          ...node,
          name: "cli",
          include: ["test/cli/**/*.test.ts"],
          globalSetup: "test/cli/build.ts",
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
} satisfies ViteUserConfig;

checkNamedFiles(
  process.argv.slice(2),
  config.test.projects.map(({ test }) => test),
);

export default defineConfig(config);
