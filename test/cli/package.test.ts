/** Both packages as others install them: packed, together in an empty folder, without this repository. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { installation } from "../../cli/installation.ts";
import { FakeServer } from "../client/fake-server.ts";
import { StandIn } from "./cloudflare-api/stand-in.ts";
import { Machine } from "./run.ts";

const run = promisify(execFile);
let folder: string;
let files: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "metrics-collector-package-"));
  const pack = ["pack", "--json", "--pack-destination", folder];
  const { stdout } = await run("npm", pack, { cwd: installation.root });
  files = [...stdout.matchAll(/"path": ?"([^"]+)"/g)].map(([, path]) => path!);
  await run("npm", [...pack, "--workspace", "client"], { cwd: installation.root });
  await writeFile(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  const tarballs = (await readdir(folder)).filter((name) => name.endsWith(".tgz")).map((name) => `./${name}`);
  // The registry is asked for dependencies only: our own packages come from the tarballs.
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs], { cwd: folder });
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

it("holds what is built, and no source, test or secret", () => {
  const folders = new Set(
    files.map((path) => (path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : path)),
  );
  expect([...folders].sort()).toEqual([
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "cli",
    "dist",
    "dist/cli",
    "dist/dashboard",
    "dist/dashboard/assets",
    "dist/worker",
    "migrations",
    "package.json",
  ]);
  expect(files.filter((path) => path.endsWith(".ts"))).toEqual([]);
});

it.each([".", "client"])("is not published by accident: %s", async (name) => {
  const project = join(installation.root, name);
  const script = (JSON.parse(await readFile(join(project, "package.json"), "utf8")) as Manifest).scripts;
  const refuse = (cwd: string) =>
    run(process.execPath, [join(project, script.prepublishOnly.replace(/^node /, ""))], { cwd });
  await expect(refuse(project)).rejects.toThrow('names no "repository"');
  const owned = await mkdtemp(join(folder, "owned-"));
  await writeFile(join(owned, "package.json"), '{ "name": "owned", "repository": "github:owner/name" }');
  await refuse(owned);
});

interface Manifest {
  scripts: { prepublishOnly: string };
}

it("has the version of the client, since both are released together", async () => {
  const versionOf = async (name: string) => {
    const text = await readFile(join(folder, "node_modules", name, "package.json"), "utf8");
    return (JSON.parse(text) as { version: string }).version;
  };
  expect(await versionOf("metrics-collector-client")).toBe(await versionOf("metrics-collector"));
});

it("lets a program import the client and send its calls", async () => {
  await using server = await new FakeServer().listen();
  await writeFile(
    join(folder, "program.js"),
    `import { createMetricsCollector } from "metrics-collector-client";
     const metricsCollector = createMetricsCollector({ url: "${server.url}", service: "shop" });
     const add = metricsCollector(function add(a, b) { return a + b; });
     console.log(add(1, 2));
     await metricsCollector.close();`,
  );
  const { stdout, stderr } = await run(process.execPath, ["program.js"], { cwd: folder });
  expect({ stdout, stderr }).toEqual({ stdout: "3\n", stderr: "" });
  expect(server.calls).toEqual({ add: 1 });
});

it("npx metrics-collector dev: send, see, stop", async () => {
  const child = spawn("npx", ["--no", "metrics-collector", "dev", "--port", "0", "--json"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let [stdout, stderr] = ["", ""];
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  try {
    for await (const chunk of child.stdout) {
      stdout += String(chunk);
      if (stdout.trimEnd().endsWith("}")) break;
    }
    const { url } = JSON.parse(stdout || "{}") as { url?: string };
    if (url === undefined) throw new Error(`It did not start.\n${stderr}`);
    const body = JSON.stringify({ service: "shop", samples: [{ function: "work", durationMs: 5 }] });
    const headers = { "Content-Type": "application/json" };
    expect((await fetch(`${url}/samples`, { method: "POST", headers, body })).status).toBe(202);
    expect(await (await fetch(`${url}/metrics`)).json()).toMatchObject({
      functions: [{ service: "shop", function: "work", calls: 1 }],
    });
    expect(await (await fetch(url)).text()).toContain("<title>");
  } finally {
    const exit = once(child, "exit");
    // As Ctrl-C does: to the whole group.
    process.kill(-child.pid!, "SIGINT");
    await exit;
  }
  expect(await readdir(join(folder, ".metrics-collector"))).not.toContain("dev.pid");
});

it("npx metrics-collector deploy uploads the Worker that the package holds", async () => {
  const cloud = await StandIn.start();
  const machine = await Machine.start(cloud);
  try {
    const url = cloud.urlOf("metrics-collector");
    const { stdout } = await run("npx", ["--no", "metrics-collector", "deploy", "--json", "--url", url], {
      cwd: folder,
      env: machine.env,
    });
    expect(JSON.parse(stdout)).toMatchObject({
      version: installation.version,
      health: { status: "ok" },
      problems: [],
    });
  } finally {
    await machine.remove();
    await cloud.stop();
  }
});
