import { expect, it } from "vitest";
import { editDistance } from "../../src/read/edit-distance.ts";

it.each([
  ["", "", 0],
  ["", "ab", 2],
  ["card", "card", 0],
  ["chrge", "charge", 1],
  ["charge", "chrge", 1],
  ["crad", "card", 1],
  ["kitten", "sitting", 3],
  ["ca", "abc", 3],
  ["abcdef", "uvwxyz", Infinity],
  ["a", "abcdef", Infinity],
])("%s and %s differ in %d characters, if up to 3 are of interest", (a, b, distance) => {
  expect(editDistance(a, b, 3)).toBe(distance);
  expect(editDistance(b, a, 3)).toBe(distance);
});
