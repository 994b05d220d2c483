import { expect, it } from "vitest";
import { runCampaign } from "../../scripts/campaign/run.ts";

it("every call is counted exactly once, though the network is bad and the server is killed", async () => {
  const { called, acknowledged, counted, lost, doubled, kills, differences } = await runCampaign({
    seconds: 15,
    leastKills: 2,
    seed: Number(process.env.SEED) || Math.floor(Math.random() * 1_000_000),
    clients: 2,
  });
  expect(differences).toEqual([]);
  expect({ acknowledged, counted, lost, doubled }).toEqual({
    acknowledged: called,
    counted: called,
    lost: 0,
    doubled: 0,
  });
  // How many more is a matter of how fast servers start here.
  expect(kills).toBeGreaterThanOrEqual(2);
});
