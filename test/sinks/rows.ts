/** Rows as a sink sends them. */
import type { Row } from "../../src/sinks/sink.ts";

/** 2026-11-28T12:00:00Z */
export const MINUTE = 1_795_867_200;

export const pay: Row = {
  service: "shop",
  module: "app/cart",
  function: "pay 'now' \\ später",
  start: MINUTE,
  seconds: 60,
  part: "",
  version: 1_795_867_300_123,
  calls: 12,
  errors: 1,
  unmeasured: 2,
  sumUs: 1_234_567,
  minMs: 0.25,
  maxMs: 900.5,
  histogram: '{"-64":3,"212":6,"314":1}',
};

/** A function whose calls the clock could not measure. */
export const sum: Row = {
  ...pay,
  module: "",
  function: "sum",
  start: MINUTE - 3_600,
  seconds: 3_600,
  calls: 5,
  errors: 0,
  unmeasured: 5,
  sumUs: 0,
  minMs: null,
  maxMs: null,
  histogram: "{}",
};
