/** `deploy` killed at every call to the API in turn, and run again: it ends as if nothing had happened. */
import { afterAll, afterEach, beforeEach, expect, it } from "vitest";
import { StandIn } from "./cloudflare-api/stand-in.ts";
import { expectExit, Machine } from "./run.ts";

const NAME = "metrics-collector";
/** All of them take minutes. In CI every call is tried; elsewhere every fourth, another fourth each day. */
const STEP = process.env.EVERY_CALL === "true" ? 1 : 4;
const OFFSET = Math.floor(Date.now() / 86_400_000) % STEP;

const cloud = await StandIn.start();
afterAll(() => cloud.stop());
let machine = await Machine.start(cloud);
beforeEach(async () => {
  cloud.reset();
  machine = await Machine.start(cloud);
});
afterEach(() => machine.remove());

const deploy = () => machine.run(["deploy", "--url", cloud.urlOf(NAME)]);

/** Every call of a deployment that nothing interrupts. */
const undisturbed = await deploy();
expectExit(undisturbed, 0);
await machine.remove();
const stops = cloud.calls.filter(({ n }) => n % STEP === OFFSET);

it.for(stops)("killed at call $n, $method $path, it finishes when it is run again", async ({ n: stop }) => {
  cloud.fault = ({ n }) => {
    if (n < stop) return undefined;
    machine.kill();
    // Half of the calls took effect, although nobody heard the answer.
    return { cut: stop % 2 === 0 ? "before" : "after" };
  };
  const killed = await deploy();
  expectExit(killed, null);
  cloud.fault = () => undefined;

  const ran = await deploy();
  expectExit(ran, 0);
  const { databases, queues, scripts } = cloud.account;
  expect(databases.map(({ name }) => name)).toEqual([NAME]);
  expect(queues.map(({ queue_name: name }) => name)).toEqual([`${NAME}-dead-letters`, `${NAME}-flushes`]);
  expect(queues.map(({ consumers }) => consumers.length)).toEqual([1, 1]);
  expect([...scripts.keys()]).toEqual([NAME]);
  const { secrets, crons } = scripts.get(NAME)!;
  expect(crons).toHaveLength(1);
  const { ingest, read, admin } = await machine.tokens();
  expect(Object.fromEntries(secrets)).toEqual({
    INGEST_TOKENS: ingest,
    READ_TOKENS: read,
    ADMIN_TOKENS: admin,
  });
  const response = await fetch(`${cloud.urlOf(NAME)}/metrics`, {
    headers: { Authorization: `Bearer ${read}` },
  });
  const { functions } = (await response.json()) as { functions: { function: string; calls: number }[] };
  expect(functions).toMatchObject([{ function: "deploy", calls: 1 }]);
});
