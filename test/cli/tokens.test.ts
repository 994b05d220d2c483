import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StandIn } from "./cloudflare-api/stand-in.ts";
import { expectExit, Machine } from "./run.ts";

const NAME = "metrics-collector";
let cloud: StandIn;
let machine: Machine;
beforeAll(async () => {
  cloud = await StandIn.start();
  await start();
});
afterAll(async () => {
  await machine.remove();
  await cloud.stop();
});
async function start(): Promise<void> {
  cloud.reset();
  machine = await Machine.start(cloud);
  expectExit(await machine.run(["deploy", "--url", cloud.urlOf(NAME)]), 0);
}

const secret = (name: string) => cloud.account.scripts.get(NAME)!.secrets.get(name);
const tokens = async (...args: string[]) => {
  const ran = await machine.run(["tokens", ...args, "--json"]);
  expectExit(ran, 0);
  return JSON.parse(ran.stdout) as { id: string; token: string; rotated: string[]; tokens: { id: string }[] };
};
async function send(token: string, service: string): Promise<number> {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token}` };
  const body = JSON.stringify({ service, samples: [{ function: "work", durationMs: 1 }] });
  return (await fetch(`${cloud.urlOf(NAME)}/samples`, { method: "POST", headers, body })).status;
}

describe("metrics-collector tokens", () => {
  it("lists ids, never tokens", async () => {
    const ran = await machine.run(["tokens", "list"]);
    expectExit(ran, 0);
    expect(ran.stdout.match(/^[0-9a-f]{16} /gm)).toHaveLength(3);
    for (const token of Object.values(await machine.tokens())) expect(ran.stdout).not.toContain(token);
  });

  it("adds a token that may send for one service, beside those that there are", async () => {
    const before = secret("INGEST_TOKENS")!;
    const { token } = await tokens("add", "ingest", "--service", "shop");
    expect(secret("INGEST_TOKENS")).toBe(`${before},shop=${token}`);
    expect(await send(token, "shop")).toBe(202);
    expect(await send(token, "bank")).toBe(403);
    expect(await send(before, "bank")).toBe(202);
  });

  it("rotates: both work until the old one is revoked", async () => {
    const { read: old } = await machine.tokens();
    const { token, rotated } = await tokens("rotate", "read");
    const metrics = (bearer: string | undefined) =>
      fetch(`${cloud.urlOf(NAME)}/metrics`, { headers: { Authorization: `Bearer ${bearer}` } });
    expect((await metrics(old)).status).toBe(200);
    expect((await metrics(token)).status).toBe(200);
    expect(rotated).toHaveLength(1);
    await tokens("revoke", "--rotated");
    expect(secret("READ_TOKENS")).toBe(token);
    expect((await metrics(old)).status).toBe(401);
    expect((await metrics(token)).status).toBe(200);
  });

  it("does not end the last token of a role unless told to", async () => {
    const list = (await tokens("list")).tokens as { id: string; role: string }[];
    const { id } = list.find(({ role }) => role === "admin")!;
    const ran = await machine.run(["tokens", "revoke", id]);
    expectExit(ran, 4);
    expect(ran.stderr).toContain("This ends the last token in ADMIN_TOKENS");
    expect(secret("ADMIN_TOKENS")).toBeDefined();
    expectExit(await machine.run(["tokens", "revoke", id, "--yes"]), 0);
    expect(secret("ADMIN_TOKENS")).toBeUndefined();
  });

  it("takes up a token that an interrupted run wrote down", async () => {
    cloud.fault = ({ method, path }) => {
      if (method !== "PUT" || !path.endsWith("/secrets")) return undefined;
      machine.kill();
      return { cut: "after" };
    };
    expectExit(await machine.run(["tokens", "add", "admin"]), null);
    cloud.fault = () => undefined;
    const set = secret("ADMIN_TOKENS");
    const { token } = await tokens("add", "admin");
    expect(token).toBe(set);
    expect(secret("ADMIN_TOKENS")).toBe(set);
  });

  it("on another machine, does not end tokens that it does not know", async () => {
    const before = secret("INGEST_TOKENS");
    const other = await Machine.start(cloud);
    try {
      const ran = await other.run(["tokens", "add", "ingest"]);
      expectExit(ran, 4);
      expect(ran.stderr).toContain("INGEST_TOKENS was set elsewhere");
      expect(secret("INGEST_TOKENS")).toBe(before);
      expectExit(await other.run(["tokens", "add", "ingest", "--replace"]), 0);
      expect(secret("INGEST_TOKENS")).toBe((await other.tokens())["ingest"]);
    } finally {
      await other.remove();
    }
  });

  it.each([
    [["tokens", "add"], "The role is missing"],
    [["tokens", "add", "owner"], '"owner" is no role'],
    [["tokens", "rename"], 'There is no "tokens rename"'],
    [["tokens", "add", "read", "--service", "shop"], "Only ingest tokens can be bound"],
    [["tokens", "revoke"], "Give one token's id, or --rotated"],
    [["deploy", "--nmae", "x"], "Unknown option '--nmae'"],
    [["deploy", "--name", "Shop"], '--name "Shop" cannot be used'],
    [["deploy", "--var", "MAX=1"], "is not NAME=VALUE with one of the names MAX_ITEMS"],
    [["backup"], "Give one file to write to"],
    [["deplyo"], 'There is no command "deplyo"'],
  ])("%j is a usage error that says what is wrong", async (args, sentence) => {
    const ran = await machine.run(args);
    expectExit(ran, 2);
    expect(ran.stderr).toContain(sentence);
  });
});
