/** Sends alerts to a real Alertmanager and asks it with `amtool`: they appear, are grouped, end, and survive restarts. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { freePort, Server } from "../../../scripts/server.ts";
import { needsProgram } from "../../process/needs-program.ts";

/** Only ends a test that hangs. */
const WITHIN_MS = 240_000;
const INSTALL = "apt-get install prometheus-alertmanager";

let folder: string;
let server: Server | undefined;
let alertmanager: ChildProcess | undefined;
let url: string;
let port: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "metrics-collector-alertmanager-"));
  port = await freePort();
  url = `http://127.0.0.1:${port}`;
});

afterAll(async () => {
  alertmanager?.kill("SIGKILL");
  await server?.kill();
  await rm(folder, { recursive: true, force: true });
});

async function startAlertmanager(): Promise<void> {
  const config = join(folder, "alertmanager.yml");
  await writeFile(
    config,
    "route:\n  receiver: none\n  group_by: [service_name]\nreceivers:\n  - name: none\n",
  );
  alertmanager = spawn(
    "prometheus-alertmanager",
    [
      `--config.file=${config}`,
      `--storage.path=${join(folder, "alertmanager")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      "--cluster.listen-address=",
    ],
    { stdio: "ignore" },
  );
  await vi.waitFor(async () => expect((await fetch(`${url}/-/ready`)).ok).toBe(true), {
    timeout: WITHIN_MS,
    interval: 200,
  });
}

async function amtool(...args: string[]): Promise<{ labels: Record<string, string> }[]> {
  const { stdout } = await promisify(execFile)("amtool", [
    `--alertmanager.url=${url}`,
    "--output=json",
    ...args,
  ]);
  return JSON.parse(stdout) as { labels: Record<string, string> }[];
}

async function functionsThatFire(): Promise<string[]> {
  const alerts = await amtool("alert", "query", "alertname=errors");
  return alerts.map(({ labels }) => labels["function"]!).sort();
}

async function api(method: string, path: string, body?: object): Promise<void> {
  const response = await fetch(new URL(path, server!.url), {
    method,
    headers: { "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
}

/** Calls of the current minute. */
function call(errors: number): Promise<void> {
  const samples = ["pay", "refund"].map((name) => ({ function: name, calls: 60, errors, unmeasured: 60 }));
  return api("POST", "/samples", { service: "shop", samples });
}

it("alerts appear in a real Alertmanager, survive restarts of both sides, and end", async (context) => {
  await needsProgram(context, "prometheus-alertmanager", INSTALL);
  await needsProgram(context, "amtool", INSTALL);
  await startAlertmanager();
  const stateFolder = join(folder, "state");
  server = await Server.start({ stateFolder });
  const serverPort = Number(new URL(server.url).port);
  await api("PUT", "/alerts/rules/errors", {
    kind: "threshold",
    figure: "errorRate",
    above: 0.5,
    window: "1m",
    keepFiringFor: "0s",
    labels: { team: "checkout" },
  });
  await api("PUT", "/alerts/targets/am", { type: "alertmanager", url });

  let errors = 60;
  const calling = setInterval(() => void call(errors).catch(() => {}), 5_000);
  try {
    await call(errors);
    await vi.waitFor(async () => expect(await functionsThatFire()).toEqual(["pay", "refund"]), {
      timeout: WITHIN_MS,
      interval: 1_000,
    });
    const [alert] = await amtool("alert", "query", "alertname=errors", "function=pay");
    expect(alert!.labels).toMatchObject({ service_name: "shop", severity: "page", team: "checkout" });
    const groups = (await (await fetch(`${url}/api/v2/alerts/groups`)).json()) as {
      labels: object;
      alerts: { labels: { alertname: string } }[];
    }[];
    const own = groups.filter(({ alerts }) => alerts.some(({ labels }) => labels.alertname === "errors"));
    expect(own.map(({ labels }) => labels)).toEqual([{ service_name: "shop" }]);

    // Alertmanager forgets its alerts when it dies. The next evaluation sends them again.
    alertmanager!.kill("SIGKILL");
    await once(alertmanager!, "exit");
    await startAlertmanager();
    expect(await functionsThatFire()).toEqual([]);
    await vi.waitFor(async () => expect(await functionsThatFire()).toEqual(["pay", "refund"]), {
      timeout: WITHIN_MS,
      interval: 1_000,
    });

    // The collector dies, and comes back while the alert still fires there.
    await server.kill();
    server = await Server.start({ stateFolder, port: serverPort, isMigrated: true });
    expect(await functionsThatFire()).toEqual(["pay", "refund"]);

    errors = 0;
    await vi.waitFor(async () => expect(await functionsThatFire()).toEqual([]), {
      timeout: WITHIN_MS,
      interval: 1_000,
    });
  } finally {
    clearInterval(calling);
  }
});
