import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { installation } from "../../cli/installation.ts";

let folder: string;
let running: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "metrics-collector-dev-"));
});
afterEach(async () => {
  await Promise.all(running.map((child) => end(child, "SIGKILL")));
  running = [];
  await rm(folder, { recursive: true, force: true });
});

function dev(...args: string[]): ChildProcess {
  const child = spawn(
    process.execPath,
    [join(installation.root, "cli/bin.js"), "dev", "--json", "--port", "0", ...args],
    {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    },
  );
  running.push(child);
  return child;
}

/** Where it answers, once it does. */
async function urlOf(child: ChildProcess): Promise<string> {
  let [stdout, stderr] = ["", ""];
  child.stderr!.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  for await (const chunk of child.stdout!) {
    stdout += String(chunk);
    const [, url] = /"url": "([^"]+)"/.exec(stdout) ?? [];
    if (url !== undefined && stdout.trimEnd().endsWith("}")) return url;
  }
  throw new Error(`It ended before it answered.\n${stderr}`);
}

/** The runtime is a process of its own: a power cut ends both. */
async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exit = once(child, "exit") as Promise<[number | null]>;
  process.kill(signal === "SIGKILL" ? -child.pid! : child.pid!, signal);
  return (await exit)[0];
}

async function send(url: string): Promise<number> {
  const body = JSON.stringify({ service: "shop", samples: [{ function: "work", durationMs: 1 }] });
  const headers = { "Content-Type": "application/json" };
  return (await fetch(`${url}/samples`, { method: "POST", headers, body })).status;
}

async function callsSeen(url: string): Promise<number | undefined> {
  const { functions } = (await (await fetch(`${url}/metrics`)).json()) as {
    functions: { function: string; calls: number }[];
  };
  return functions.find((found) => found.function === "work")?.calls;
}

describe("metrics-collector dev", () => {
  it("keeps what it acknowledged when it is killed, and serves the dashboard", async () => {
    const first = dev();
    const url = await urlOf(first);
    expect(await send(url)).toBe(202);
    expect(await (await fetch(url)).text()).toContain("<title>");
    await end(first, "SIGKILL");
    const second = dev();
    const again = await urlOf(second);
    expect(await send(again)).toBe(202);
    expect(await callsSeen(again)).toBe(2);
    expect(await end(second, "SIGTERM")).toBe(0);
    expect(await readFile(join(folder, ".metrics-collector/.gitignore"), "utf8")).toBe("*\n");
  });

  it("refuses a folder that another one uses, and leaves that one running", async () => {
    const first = dev();
    const url = await urlOf(first);
    const second = dev();
    await expect(urlOf(second)).rejects.toThrow(`is in use by another "metrics-collector dev"`);
    expect(await send(url)).toBe(202);
  });

  it("refuses a port that is taken, and says how to choose another", async () => {
    const url = await urlOf(dev());
    const port = new URL(url).port;
    const other = dev("--port", port, "--data", "other");
    await expect(urlOf(other)).rejects.toThrow(
      `Port ${port} of 127.0.0.1 is in use. Give another with --port`,
    );
  });
});
