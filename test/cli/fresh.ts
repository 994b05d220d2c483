/**
 * A stand-in for Cloudflare with nothing in it, and a machine without a login. A file of tests that imports this gets both anew
 * before each test.
 */
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { StandIn } from "./cloudflare-api/stand-in.ts";
import { Machine } from "./run.ts";

export const NAME = "metrics-collector";
export let cloud: StandIn;
export let machine: Machine;

beforeAll(async () => {
  cloud = await StandIn.start();
});
afterAll(() => cloud.stop());
beforeEach(async () => {
  cloud.reset();
  machine = await Machine.start(cloud);
});
afterEach(() => machine.remove());

export const deploy = (...args: string[]) => machine.run(["deploy", "--url", cloud.urlOf(NAME), ...args]);
