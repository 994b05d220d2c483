import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Server } from "../../scripts/server.ts";
import { needsProgram } from "./needs-program.ts";

const INSTALL = "Debian: apt-get install prometheus";
const EXAMPLES = join(import.meta.dirname, "../../examples");

let folder: string;
let server: Server;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "metrics-collector-reading-"));
  server = await Server.start({ stateFolder: join(folder, "state") });
});

afterAll(async () => {
  await server?.kill();
  await rm(folder, { recursive: true, force: true });
});

/** Runs promtool. Returns what it prints, with the exit code in front if it fails. */
async function promtool(args: string[], input = ""): Promise<string> {
  const child = spawn("promtool", args, { stdio: ["pipe", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stdin.end(input);
  const [code] = (await once(child, "close")) as [number];
  return code === 0 ? output : `promtool ended with ${code}: ${output}`;
}

async function post(samples: object[], service = "shop"): Promise<void> {
  const response = await fetch(new URL("/samples", server.url), {
    method: "POST",
    headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
    body: JSON.stringify({ service, samples }),
  });
  expect(response.status).toBe(202);
}

describe("a running server", () => {
  it("answers a scraper with text that promtool accepts", async (context) => {
    await needsProgram(context, "promtool", INSTALL);
    await post([
      { function: "chargeCard", module: 'pay "now"\\', durationMs: 80 },
      { function: "ключ 🙂", durationMs: 0, error: { name: "E", message: "m" } },
      { nonsense: 1 },
    ]);
    const response = await fetch(new URL("/metrics?format=prometheus", server.url));
    expect(await promtool(["check", "metrics"], await response.text())).toBe("");
  });

  it("serves a valid OpenAPI document", async () => {
    const document = (await (await fetch(new URL("/openapi.json", server.url))).json()) as Record<
      string,
      unknown
    >;
    expect(await new Validator().validate(document)).toEqual({ valid: true });
  });
});

describe("the examples", () => {
  it("are alert rules and a configuration that promtool accepts", async (context) => {
    await needsProgram(context, "promtool", INSTALL);
    expect(await promtool(["check", "rules", join(EXAMPLES, "alerts.yml")])).toContain(
      "SUCCESS: 10 rules found",
    );
    expect(await promtool(["check", "config", join(EXAMPLES, "prometheus.yml")])).toContain(
      "is valid prometheus config",
    );
  });

  it("are alert rules that fit busy functions and nightly jobs", async (context) => {
    await needsProgram(context, "promtool", INSTALL);
    const output = await promtool(["test", "rules", join(import.meta.dirname, "alert-rules.yml")]);
    expect(output).toMatch(/^Unit Testing: .*\n\s*SUCCESS\s*$/);
  });

  it("are a dashboard whose expressions are valid PromQL and use existing metrics", async (context) => {
    await needsProgram(context, "promtool", INSTALL);
    const dashboard = JSON.parse(await readFile(join(EXAMPLES, "grafana-dashboard.json"), "utf8")) as {
      panels: { targets: { expr: string }[] }[];
    };
    const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const rules = expressions.map((expr, i) => ({
      record: `panel:${i}`,
      expr: expr.replaceAll(/\$__rate_interval|\$__range/g, "5m").replaceAll("$service", ".*"),
    }));
    const file = join(folder, "panels.yml");
    await writeFile(file, JSON.stringify({ groups: [{ name: "panels", rules }] }));
    expect(await promtool(["check", "rules", file])).toContain(`SUCCESS: ${rules.length} rules found`);

    const exposed = await (await fetch(new URL("/metrics?format=prometheus", server.url))).text();
    const named = expressions.join(" ").match(/\b(function_calls|metrics_collector)_\w+/g) ?? [];
    for (const name of named) expect(exposed).toContain(name);
  });
});
