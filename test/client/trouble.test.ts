/** How trouble is told. */
import { describe, expect, it } from "vitest";
import { collect, call, answerInTurn, warnings } from "./sending.ts";

describe("trouble", () => {
  it("is told to onError at every attempt, with what was answered", async () => {
    answerInTurn({ status: 500, body: "It is on fire." }, "dropRequest", { status: 429 });
    const errors: Error[] = [];
    const metricsCollector = await collect({ onError: (error) => errors.push(error) });
    call(metricsCollector, "work");
    await metricsCollector.flush();
    expect(errors.every((error) => error instanceof Error)).toBe(true);
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringContaining("500 It is on fire."),
      expect.stringContaining("fetch failed"),
      expect.stringContaining("429"),
    ]);
    expect(warnings()).toEqual([]);
  });

  it("without hooks is one warning on the console for each kind, however often it comes", async () => {
    const metricsCollector = await collect();
    for (let i = 0; i < 3; i++) {
      const body = '{"error":{"code":"invalid_batch","message":"no"}}';
      answerInTurn({ status: 500 }, { status: 500 }, { status: 400, body });
      call(metricsCollector, "work");
      await metricsCollector.flush();
    }
    expect(warnings()).toEqual([
      expect.stringMatching(/^metrics-collector: .*500/),
      expect.stringMatching(/^metrics-collector: .*400 no/),
      expect.stringMatching(/^metrics-collector: 1 calls are lost \(rejected\): 400 no/),
    ]);
  });

  it("that does not come is not told", async () => {
    const told: unknown[] = [];
    const metricsCollector = await collect({ onError: (e) => told.push(e), onDrop: (d) => told.push(d) });
    call(metricsCollector, "work");
    await metricsCollector.flush();
    expect([told, warnings()]).toEqual([[], []]);
  });
});
