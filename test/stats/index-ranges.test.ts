/** Places of samples as ranges. */
import { expect, it } from "vitest";
import { rangesOf } from "../../src/stats/index-ranges.ts";

it.each([
  [[], []],
  [[0], [[0, 0]]],
  [
    [0, 1, 2, 5, 7, 8],
    [
      [0, 2],
      [5, 5],
      [7, 8],
    ],
  ],
])("%j become the ranges %j", (indexes, ranges) => {
  expect(rangesOf(indexes)).toEqual(ranges);
});
