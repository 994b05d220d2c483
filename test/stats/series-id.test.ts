import { describe, expect, it } from "vitest";
import {
  compareSeriesIds,
  idOf,
  keyWithinService,
  normaliseName,
  sameSeries,
  type SeriesId,
  seriesKey,
} from "../../src/stats/series-id.ts";

const id = (service: string, module: string, name: string): SeriesId => ({ service, module, function: name });

/** In order. No two of them are the same series, though their names joined without a separator are. */
const ids = [
  id("a", "", "bc"),
  id("a", "b", "c"),
  id("a", "bc", "d"),
  id("a", "c", "b"),
  id("a b", "", "c"),
  id("ab", "", "c"),
  id("ä", "", ""),
];

describe("a series id", () => {
  it("has a key of its own", () => {
    expect(new Set(ids.map(seriesKey)).size).toBe(ids.length);
    expect(new Set(ids.slice(0, 4).map((one) => keyWithinService(one.module, one.function))).size).toBe(4);
  });

  it("is the same series only as one with the same three names", () => {
    for (const one of ids) {
      for (const other of ids) expect(sameSeries(one, { ...other })).toBe(one === other);
    }
  });

  it("is sorted by service, then module, then function", () => {
    expect(ids.toReversed().sort(compareSeriesIds)).toEqual(ids);
    expect(compareSeriesIds(ids[0]!, { ...ids[0]! })).toBe(0);
  });

  it("is sorted as its keys are", () => {
    expect(ids.map(seriesKey).sort()).toEqual(ids.map(seriesKey));
  });

  it("is taken from an object that has other fields too", () => {
    expect(idOf({ ...ids[1]!, calls: 3 } as SeriesId)).toEqual(ids[1]);
  });
});

describe("a normalised name", () => {
  it("is the same for composed and decomposed letters", () => {
    expect(normaliseName("caf\u0065\u0301")).toBe("caf\u00e9");
  });

  it("has no space around it", () => {
    expect(normaliseName(" \tname \n")).toBe("name");
  });

  it("has no half characters", () => {
    expect(normaliseName("a\ud800b")).toBe("a\ufffdb");
  });
});
