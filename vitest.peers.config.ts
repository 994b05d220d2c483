/**
 * Configures `npm run test:peers`: tests that compare this project with programs of others, such as a real Prometheus. A
 * test whose program is not installed is skipped and says so.
 */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    silent: "passed-only",
    include: ["test/peers/**/*.test.ts"],
    setupFiles: ["test/patience.ts"],
    // Each file starts servers of its own.
    fileParallelism: false,
    // This limit only ends tests that hang.
    testTimeout: 300_000,
    hookTimeout: 240_000,
  },
});
