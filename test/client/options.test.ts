/** Options are checked when the collector is made; a wrong one never breaks the program. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createMetricsCollector, type CollectorOptions } from "../../client/decorators.ts";
import { FakeServer } from "./fake-server.ts";

const right = { url: "https://metrics.example", service: "shop" };

beforeEach(() => {
  vi.spyOn(console, "warn").mockImplementation(() => {});
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const wrong: [name: string, value: unknown, message: RegExp][] = [
  ["service", undefined, /^service must be a text of 1 to 100 characters/],
  ["service", "", /^service must be/],
  ["service", "x".repeat(101), /^service must be/],
  ["service", 7, /^service must be/],
  ["url", undefined, /^url must be the http or https address/],
  ["url", "", /^url must be/],
  ["url", "::::", /^url must be/],
  ["url", "/collector", /^url must be/],
  ["url", "ftp://metrics.example", /^url must be/],
  ["url", "https://metrics.example/?tenant=1", /without a password, query or fragment/],
  ["url", "https://metrics.example/#top", /without a password, query or fragment/],
  ["url", "https://user:secret@metrics.example", /without a password/],
  ["intervalMs", NaN, /^intervalMs must be a number from 1 to Infinity; it is null\./],
  ["intervalMs", 0, /^intervalMs must be a number from 1/],
  ["intervalMs", "30", /^intervalMs must be .* it is "30"\./],
  ["maxItems", NaN, /^maxItems must be/],
  ["maxFunctions", 0, /^maxFunctions must be/],
  ["maxMemory", -1, /^maxMemory must be/],
  ["timeoutMs", Infinity, /^timeoutMs must be a number from 1 to 2147483647/],
  ["timeoutMs", 3e9, /^timeoutMs must be/],
  ["exitTimeoutMs", -1, /^exitTimeoutMs must be/],
  ["retryMs", NaN, /^retryMs must be/],
];

describe.each(wrong)("the option %s that is %j", (name, value, message) => {
  const options = { ...right, [name]: value } as unknown as CollectorOptions;

  it("turns the collector off, and one sentence says why", async () => {
    const metricsCollector = createMetricsCollector(options);
    const fn = () => 7;
    expect(metricsCollector(fn)).toBe(fn);
    expect(await metricsCollector.flush()).toBe(true);
    expect(metricsCollector.stats().seen).toBe(0);
    const warnings = vi.mocked(console.warn).mock.calls.map(([warning]) => String(warning));
    expect(warnings).toHaveLength(1);
    const [, said] =
      /^metrics-collector: TypeError: (.*) Nothing is measured until this is corrected\.$/.exec(
        warnings[0]!,
      )!;
    expect(said).toMatch(message);
    expect(warnings[0]).not.toContain("secret");
  });

  it("throws with that sentence if strict is true", () => {
    expect(() => createMetricsCollector({ ...options, strict: true })).toThrow(message);
    expect(console.warn).not.toHaveBeenCalled();
  });

  it("is told to onError if that is given", () => {
    const onError = vi.fn<(error: Error) => void>();
    createMetricsCollector({ ...options, onError });
    expect(onError).toHaveBeenCalledOnce();
    expect(console.warn).not.toHaveBeenCalled();
  });
});

describe("an address", () => {
  it.each([
    ["https://metrics.example", "https://metrics.example/samples"],
    ["https://metrics.example/", "https://metrics.example/samples"],
    ["https://metrics.example/base//", "https://metrics.example/base/samples"],
    [new URL("http://metrics.example:8787"), "http://metrics.example:8787/samples"],
  ])("%s is completed to where batches go", async (url, endpoint) => {
    const server = new FakeServer();
    const fetched: string[] = [];
    const metricsCollector = createMetricsCollector({
      url,
      service: "shop",
      fetcher: {
        fetch: (address, init: RequestInit) => {
          // Without how old the batch is.
          fetched.push(address.replace(/\?ageMs=\d+$/, ""));
          return server.fetcher.fetch(address, init);
        },
      },
    });
    metricsCollector(function work() {})();
    await metricsCollector.close();
    expect(fetched).toEqual([endpoint]);
  });

  it("may be relative to the page", async () => {
    vi.stubGlobal("location", { href: "https://shop.example/cart?id=7" });
    const server = new FakeServer();
    const fetched: string[] = [];
    const metricsCollector = createMetricsCollector({
      url: "/collector",
      service: "shop",
      strict: true,
      fetcher: {
        fetch: (address, init: RequestInit) => {
          // Without how old the batch is.
          fetched.push(address.replace(/\?ageMs=\d+$/, ""));
          return server.fetcher.fetch(address, init);
        },
      },
    });
    vi.unstubAllGlobals();
    metricsCollector(function work() {})();
    await metricsCollector.close();
    expect(fetched).toEqual(["https://shop.example/collector/samples"]);
  });
});

describe("a collector that is off", () => {
  it.each<[string, () => CollectorOptions]>([
    ["by enabled: false", () => ({ ...right, enabled: false })],
    [
      "by METRICS_COLLECTOR_DISABLED=1",
      () => {
        vi.stubEnv("METRICS_COLLECTOR_DISABLED", "1");
        return right;
      },
    ],
  ])("%s leaves everything as it is", async (_, optionsOf) => {
    const metricsCollector = createMetricsCollector(optionsOf());
    const fn = () => 7;
    class Shape {}
    const object = Object.freeze({ fn });
    expect(metricsCollector(fn)).toBe(fn);
    expect(metricsCollector({ name: "seven" }, fn)).toBe(fn);
    expect(metricsCollector({ name: "seven" })(fn)).toBe(fn);
    expect(metricsCollector("seven", fn)).toBe(fn);
    expect(metricsCollector(Shape)).toBe(Shape);
    expect(metricsCollector.all(object)).toBe(object);
    expect(metricsCollector.time("seven", fn)).toBe(7);
    metricsCollector.record({ function: "seven", durationMs: 7 });
    expect(await metricsCollector.close()).toBe(true);
    expect(metricsCollector.stats()).toEqual({
      seen: 0,
      acknowledged: 0,
      pending: 0,
      dropped: { rejected: 0, tooOld: 0, overMemory: 0 },
    });
    expect(console.warn).not.toHaveBeenCalled();
  });
});
