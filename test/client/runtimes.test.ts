/** The client in every runtime that is here: on the PATH, or named by NODE20_PATH, DENO_PATH, BUN_PATH. */
import { execFile } from "node:child_process";
import { access, constants, copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { bundleFor } from "../../client/bundle.ts";
import { FakeServer } from "./fake-server.ts";

const run = promisify(execFile);
const client = fileURLToPath(new URL("../../client/index.ts", import.meta.url));
const program = fileURLToPath(new URL("fixtures/program.js", import.meta.url));

interface Runtime {
  name: string;
  path: string | undefined;
  options?: string[];
}

const runtimes: Runtime[] = [
  { name: `Node ${process.version}`, path: process.execPath },
  { name: "Node 20", path: await findProgram("node", "NODE20_PATH", /^v20\./) },
  {
    name: "Deno",
    path: await findProgram("deno", "DENO_PATH"),
    options: ["run", "--no-prompt", "--allow-net=127.0.0.1"],
  },
  { name: "Bun", path: await findProgram("bun", "BUN_PATH") },
];

let folder: string;
let server: FakeServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "runtimes-"));
  // As the package is built.
  await build({ entryPoints: [client], ...bundleFor("process"), outdir: folder });
  await copyFile(join(folder, "index.js"), join(folder, "client.js"));
  await copyFile(program, join(folder, "program.mjs"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

beforeEach(async () => {
  server = await new FakeServer().listen();
});

afterEach(() => server[Symbol.asyncDispose]());

for (const { name, path, options = [] } of runtimes) {
  // Not by console: what a skipped test says there is not shown.
  if (!path) process.stderr.write(`\nSKIPPED: the client in ${name}, which is not here.\n`);

  it.skipIf(!path)(
    `runs in ${name}, and reports what it did before it ends`,
    { timeout: 60_000 },
    async () => {
      const { stdout, stderr } = await run(path!, [...options, join(folder, "program.mjs"), server.url], {
        env: { PATH: process.env["PATH"], HOME: folder, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
        timeout: 50_000,
      });
      expect(stderr.replace(/^.*(Experimental|trace-warnings).*\n/gm, "")).toBe("");
      expect(JSON.parse(stdout)).toEqual([3, 20, 0, 1, "boom", 201, "text", true, 55]);
      expect(server.calls).toMatchObject({ add: 2, wait: 1, count: 1, fail: 1, read: 1, function49: 1 });
      expect(server.totalCalls).toBe(56);
      const [first, last] = server.requests;
      expect(server.requests).toHaveLength(2);
      expect(first!.headers.get("Content-Encoding")).toBe("gzip");
      expect(last!.headers.get("Content-Encoding")).toBeNull();
      const wait = first!.samples.find((sample) => sample.function === "wait")!;
      expect(wait.minMs).toBeGreaterThanOrEqual(15);
    },
  );
}

/** The one that is named, or the first on the PATH that says it is of that version. */
async function findProgram(name: string, variable: string, version = /./): Promise<string | undefined> {
  const named = process.env[variable];
  if (named) return named;
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const path = join(folder, name);
    try {
      await access(path, constants.X_OK);
      if (version.test((await run(path, ["--version"])).stdout)) return path;
    } catch {
      // The next may be there, and run.
    }
  }
  return undefined;
}
