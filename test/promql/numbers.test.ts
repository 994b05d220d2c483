import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDuration, formatDuration } from "../../src/promql/literals.ts";
import { CompensatedSum, compareNaNLast, formatGeneral, formatValue } from "../../src/promql/numbers.ts";

describe("a printed value", () => {
  it.each([
    [0, "0"],
    [-0, "-0"],
    [1.5, "1.5"],
    [1e21, "1000000000000000000000"],
    [-1.25e22, "-12500000000000000000000"],
    [1e-7, "0.0000001"],
    [1.5e-10, "0.00000000015"],
    [0.1 + 0.2, "0.30000000000000004"],
    [Number.NaN, "NaN"],
    [Infinity, "+Inf"],
    [-Infinity, "-Inf"],
  ])("of %d is %s", (value, text) => expect(formatValue(value)).toBe(text));

  it("reads back as the same number, without an exponent", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = formatValue(value);
        expect(text).toMatch(/^-?\d+(\.\d+)?$/);
        expect(Number(text)).toBe(value);
      }),
    );
  });

  it.each([
    [0.0001, "0.0001"],
    [0.00001, "1e-05"],
    [1e21, "1e+21"],
    [1.5e300, "1.5e+300"],
    [123, "123"],
  ])("in a message of %d is %s", (value, text) => expect(formatGeneral(value)).toBe(text));
});

describe("a compensated sum", () => {
  it("keeps what is small beside what is large", () => {
    const sum = new CompensatedSum();
    for (const value of [1, 1e100, 1, -1e100]) sum.add(value);
    expect(sum.total).toBe(2);
  });

  it("stays infinite", () => {
    const sum = new CompensatedSum();
    for (const value of [Infinity, 1, 2]) sum.add(value);
    expect(sum.total).toBe(Infinity);
  });
});

describe("NaN", () => {
  it("comes last, ascending and descending", () => {
    const values = [Number.NaN, 1, Infinity, Number.NaN, -Infinity];
    const sort = (descending: boolean): number[] =>
      values.toSorted((a, b) => compareNaNLast(a, b, descending));
    expect(sort(false)).toEqual([-Infinity, 1, Infinity, Number.NaN, Number.NaN]);
    expect(sort(true)).toEqual([Infinity, 1, -Infinity, Number.NaN, Number.NaN]);
  });
});

describe("a duration", () => {
  it.each([
    ["1h30m", 5_400_000],
    ["1y2w3d", 33_004_800_000],
    ["15ms", 15],
    ["1m1h", undefined],
    ["1.5h", undefined],
    ["", undefined],
    ["1h1h", undefined],
  ])("%s has %s milliseconds", (text, durationMs) => expect(parseDuration(text)).toBe(durationMs));

  it("reads back as it was printed", () => {
    fc.assert(
      fc.property(fc.nat(), (durationMs) => {
        expect(parseDuration(formatDuration(durationMs))).toBe(durationMs);
      }),
    );
  });
});
