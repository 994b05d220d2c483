/** `GET /metrics` for a Prometheus scraper: answers with text if `Accept` or `format` asks for it. */
import type { Context } from "hono";
import { accepts } from "hono/accepts";
import * as z from "zod";
import { readAlertsHealth } from "../alerts/health.ts";
import { readForgetAfterMs } from "../configuration.ts";
import { oneOf, ServiceName, Words } from "../http/parameters.ts";
import { READ_ERRORS, route } from "../http/route.ts";
import { readCollectorHealth } from "../read/collector-health.ts";
import { byPattern } from "../read/matchers.ts";
import { readTotals } from "../read/series.ts";
import { CONTENT_TYPES, type TextFormat, writeExposition } from "./exposition.ts";

const ScrapeParameters = z.strictObject({
  service: ServiceName.optional(),
  function: z.string().optional(),
  q: Words.optional(),
  format: oneOf(["prometheus", "openmetrics"]).optional(),
});

export const scrapeRoute = route({
  method: "get",
  path: "/metrics",
  right: "read",
  summary: "Functions and what they did, for a scraper",
  query: ScrapeParameters,
  answer: z.string(),
  texts: Object.values(CONTENT_TYPES),
  errors: READ_ERRORS,
  answersTo: (c) => textFormatOf(c) !== undefined,
  async handler(c, { query: { service, function: pattern, q } }) {
    const matchers = { service, words: q, ...byPattern(pattern) };
    const now = Date.now();
    const shownSince = now - readForgetAfterMs(c.env);
    const [totals, health, alerts] = await Promise.all([
      readTotals(c.env, matchers),
      readCollectorHealth(c.env),
      readAlertsHealth(c.env),
    ]);
    const format = textFormatOf(c)!;
    const functions = totals.filter(({ lastSeen }) => lastSeen >= shownSince);
    const lines = writeExposition(functions, health, now, format, alerts?.active);
    return c.body(streamOf(lines), 200, { "Content-Type": CONTENT_TYPES[format] });
  },
});

const encoder = new TextEncoder();
/** Lines are sent in pieces of about this many UTF-16 code units. */
const PIECE_LENGTH = 64 * 1024;

/** Streams the lines, so that a long text is never held whole. */
function streamOf(lines: Iterator<string>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      let piece = "";
      while (piece.length < PIECE_LENGTH) {
        const { value, done } = lines.next();
        if (done) break;
        piece += value;
      }
      if (piece === "") controller.close();
      else controller.enqueue(encoder.encode(piece));
    },
  });
}

/** The text format that the request asks for. Undefined for JSON, which clients that accept anything get, such as curl. */
function textFormatOf(c: Context): TextFormat | undefined {
  const forced = c.req.query("format");
  if (forced === "prometheus" || forced === "openmetrics") return forced;
  if (forced !== undefined) return undefined;
  const type = accepts(c, {
    header: "Accept",
    supports: ["application/json", "application/openmetrics-text", "text/plain"],
    default: "application/json",
  });
  if (type === "text/plain") return "prometheus";
  return type === "application/openmetrics-text" ? "openmetrics" : undefined;
}
