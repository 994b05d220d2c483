/** The two packages of this repository as others install them: packed, and together in one empty project. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PROJECT } from "../../scripts/wrangler.ts";
import { FakeServer } from "../client/fake-server.ts";

const run = promisify(execFile);

let project: string;
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "metrics-collector-packages-"));
  const both = ["--workspace", "client", "--include-workspace-root"];
  await run("npm", ["pack", ...both, "--pack-destination", project], { cwd: PROJECT });
  await writeFile(join(project, "package.json"), '{ "private": true, "type": "module" }');
  const tarballs = (await readdir(project))
    .filter((name) => name.endsWith(".tgz"))
    .map((name) => `./${name}`);
  // The registry is asked for dependencies only: our own packages come from the tarballs.
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs], { cwd: project });
});
afterAll(() => rm(project, { recursive: true, force: true }));

async function versionOf(name: string): Promise<string> {
  const text = await readFile(join(project, "node_modules", name, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

it("have the same version, since they are released together", async () => {
  expect(await versionOf("metrics-collector-client")).toBe(await versionOf("metrics-collector"));
});

it("let a program import the client and send its calls", async () => {
  await using server = await new FakeServer().listen();
  await writeFile(
    join(project, "program.js"),
    `import { createMetricsCollector } from "metrics-collector-client";
     const metricsCollector = createMetricsCollector({ url: "${server.url}", service: "shop" });
     const add = metricsCollector(function add(a, b) { return a + b; });
     console.log(add(1, 2));
     await metricsCollector.close();`,
  );
  const { stdout, stderr } = await run(process.execPath, ["program.js"], { cwd: project });
  expect({ stdout, stderr }).toEqual({ stdout: "3\n", stderr: "" });
  expect(server.calls).toEqual({ add: 1 });
});

it("offer the command metrics-collector", async () => {
  expect(await readdir(join(project, "node_modules/.bin"))).toContain("metrics-collector");
});
