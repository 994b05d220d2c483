import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { freePort } from "../../scripts/server.ts";
import { PROJECT } from "../../scripts/wrangler.ts";

/** Only ends a test that hangs. */
const WITHIN_MS = 120_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "metrics-collector-npm-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("the server of `npm start` ends if npm alone is killed", async () => {
  const port = await freePort();
  const args = ["--port", String(port), "--persist-to", folder, "--inspector-port", String(await freePort())];
  const npm = spawn("npm", ["start", "--", ...args], { cwd: PROJECT, stdio: "ignore", detached: true });
  const isUp = () =>
    fetch(`http://127.0.0.1:${port}/health`).then(
      () => true,
      () => false,
    );
  try {
    await vi.waitFor(async () => expect(await isUp()).toBe(true), { timeout: WITHIN_MS, interval: 200 });
    process.kill(npm.pid!, "SIGKILL");
    await vi.waitFor(async () => expect(await isUp()).toBe(false), { timeout: WITHIN_MS, interval: 200 });
  } finally {
    try {
      process.kill(-npm.pid!, "SIGKILL");
    } catch {
      // All of its group have ended.
    }
  }
});
