/** Values that nobody expects. */
import type { Random } from "../../scripts/random.ts";

export function odd(random: Random): unknown {
  return random.chance(0.3) ? text(random) : random.pick(ODD);
}

export function text(random: Random): string {
  const length = random.pick([0, 1, 3, 20, 200, 201, 600]);
  const alphabet = random.pick([
    "abc",
    "\u0000\u0001\u001f\u007f\u0085",
    "\ud800\udc00\udfff",
    "é漢😀\u202e\ufeff\u00a0",
    "'\";--<>&%{}[]\\",
    "./",
    " \t\n",
  ]);
  return Array.from({ length }, () => alphabet[random.below(alphabet.length)]).join("");
}

const ODD: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1,
  0.1,
  1e-320,
  1e308,
  -1e308,
  2 ** 31,
  2 ** 53,
  2 ** 53 + 2,
  1e21,
  "",
  "0",
  "NaN",
  "2026-11-24T00:00:00Z",
  [],
  {},
  [[]],
  { "": "" },
  { "-1": 1 },
  { "99999": 1 },
  { length: 5 },
  { toString: 1, valueOf: 1, toJSON: 1 },
];
