import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { installation } from "../../cli/installation.ts";
import { Server } from "../../scripts/server.ts";

let folder: string;
let server: Server;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "metrics-collector-export-"));
  server = await Server.start({ command: "dev", stateFolder: join(folder, "state") });
  const at = Date.now() - 3 * 3_600_000;
  const samples = [
    { function: 'pay, "now"', module: "=1+1", durationMs: 10, at },
    { function: 'pay, "now"', module: "=1+1", durationMs: 30, at, error: { name: "E", message: "declined" } },
    { function: "a", durationMs: 0, at: at - 3_600_000 },
  ];
  const response = await fetch(`${server.url}/samples`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ service: "shop", samples }),
  });
  if (response.status !== 202) throw new Error(await response.text());
});

afterAll(async () => {
  await server.kill();
  await rm(folder, { recursive: true, force: true });
});

async function run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child: ChildProcess = spawn(
    process.execPath,
    [join(installation.root, "cli/bin.js"), "export", ...args],
    { cwd: folder, stdio: ["ignore", "pipe", "pipe"] },
  );
  let [stdout, stderr] = ["", ""];
  child.stdout!.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr!.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

it("exports each minute with calls as JSON lines, also what is still in the buffer", async () => {
  const { code, stdout } = await run("--url", server.url, "--format", "ndjson");
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(code).toBe(0);
  expect(rows.sort((a, b) => String(a["function"]).localeCompare(String(b["function"])))).toMatchObject([
    { service: "shop", module: "", function: "a", seconds: 60, calls: 1, unmeasured: 1, averageMs: null },
    { module: "=1+1", function: 'pay, "now"', calls: 2, errors: 1, averageMs: 20, minMs: 10, maxMs: 30 },
  ]);
});

it("writes a CSV file whose cells no spreadsheet takes for formulas, and leaves no other file", async () => {
  const { code, stdout } = await run("--url", server.url, "--from", "2d", "calls.csv");
  expect([code, stdout]).toEqual([0, "calls.csv has 2 rows of 2 functions.\n"]);
  const [head, ...lines] = (await readFile(join(folder, "calls.csv"), "utf8")).split("\r\n");
  expect(head).toBe(
    "service,module,function,start,seconds,calls,errors,unmeasured,averageMs,minMs,maxMs,p50Ms,p95Ms,p99Ms",
  );
  expect(lines.find((line) => line.includes("=1+1"))).toMatch(
    /^shop,'=1\+1,"pay, ""now""",\d{4}-.*Z,60,2,1,0,20,10,30,/,
  );
  expect((await readdir(folder)).sort()).toEqual(["calls.csv", "state"]);
});

it.each([
  ["--from must be before --to", ["--from", "1h", "--to", "2h"]],
  ["--from is yesterday. It must be", ["--from", "yesterday"]],
  ["--format is parquet. It must be csv or ndjson.", ["--format", "parquet"]],
])("says what is wrong: %s", async (problem, args) => {
  const { code, stderr } = await run("--url", server.url, ...args);
  expect([code, stderr]).toEqual([2, expect.stringContaining(problem)]);
});
