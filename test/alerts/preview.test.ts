import { describe, expect, it } from "vitest";
import { PreviewAnswer } from "../../src/alerts/routes/preview.ts";
import { delta, inD1 } from "../flushes.ts";
import { getJson } from "../worker.ts";
import { send } from "./follower.ts";

const MINUTE = 60_000;

/** Minutes before now, from one number to another. */
function during(from: number, to: number, fields: Parameters<typeof delta>[1]) {
  return Array.from({ length: from - to }, (_, i) => delta(Date.now() - (from - i) * MINUTE, fields));
}

describe("POST /alerts/preview", () => {
  it("says how often a rule would have fired, and stores nothing", async () => {
    await inD1(
      ...during(300, 200, { name: "pay", calls: 60 }),
      ...during(200, 180, { name: "pay", calls: 60, errors: 40 }),
      ...during(180, 0, { name: "pay", calls: 60 }),
      ...during(300, 0, { name: "list", calls: 60 }),
    );
    const rule = { kind: "threshold", figure: "errorRate", above: 0.3, selector: { service: "shop" } };
    const answer = await send("POST", "/alerts/preview", rule);
    expect(PreviewAnswer.parse(answer)).toEqual(answer);
    expect(answer).toMatchObject({ selected: 2, times: 1, note: null });
    expect(answer.functions.find((one: { function: string }) => one.function === "pay").firings).toHaveLength(
      1,
    );
    expect(await getJson("/alerts")).toMatchObject({ isActive: false });
  });

  it("judges durations by their histograms", async () => {
    await inD1(
      ...during(300, 100, { name: "pay", calls: 60, durationMs: 100 }),
      ...during(100, 80, { name: "pay", calls: 60, durationMs: 400 }),
      ...during(80, 0, { name: "pay", calls: 60, durationMs: 100 }),
    );
    const rule = { kind: "threshold", figure: "p95Ms", above: 300 };
    expect(await send("POST", "/alerts/preview", rule)).toMatchObject({ times: 1 });
    expect(await send("POST", "/alerts/preview", { ...rule, above: 500 })).toMatchObject({ times: 0 });
  });

  it("refuses a rule that is wrong", async () => {
    await expect(send("POST", "/alerts/preview", { kind: "threshold" })).rejects.toThrow("400");
  });
});
