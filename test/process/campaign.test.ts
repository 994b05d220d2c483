import { expect, it } from "vitest";
import { runCampaign } from "../../scripts/campaign/run.ts";

it("counts every call exactly once, although the network is faulty and the server is killed", async () => {
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
  // There are more kills if servers start fast.
  expect(kills).toBeGreaterThanOrEqual(2);
});
