import { describe, expect, it } from "vitest";
import { fold, variantsOf } from "../../src/stats/fold.ts";

/** Each letter of the planes in which there are scripts. */
const letters = Array.from({ length: 0x1f000 }, (_, code) => code)
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code))
  .filter((letter) => letter.normalize("NFC") === letter);

describe("fold", () => {
  it.each([
    ["chargeCard", "chargecard"],
    ["e\u0301LAN", "\u00e9lan"],
    ["ΟΔΟΣ οδος", "οδοσ οδοσ"],
    ["ſS", "ss"],
    ["İI", "İi"],
    ["漢字🙂", "漢字🙂"],
  ])("turns %s into %s", (text, folded) => {
    expect(fold(text)).toBe(folded);
  });

  it("changes neither the length of a composed text nor a text that is folded", () => {
    const folded = letters.map(fold);
    expect(folded.map((text) => text.length)).toEqual(letters.map((text) => text.length));
    expect(folded.map(fold)).toEqual(folded);
  });
});

it("variantsOf gives exactly the letters that fold to one", () => {
  const byFolded = Map.groupBy(letters, fold);
  for (const [folded, all] of byFolded) {
    expect([folded, Array.from(variantsOf(folded)).sort()]).toEqual([folded, all.sort()]);
  }
});
