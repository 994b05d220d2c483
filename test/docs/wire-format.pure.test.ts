/** Checks that docs/wire-format.md names the limits and the error codes that the code has, and every test vector. */
/// <reference types="vite/client" />
import { expect, it } from "vitest";
import text from "../../docs/wire-format.md?raw";
import { ingestLimits } from "../../src/ingest/limits.ts";
import { MAX_BUCKET, MAX_DURATION_MS, MIN_BUCKET } from "../../src/stats/histogram.ts";
import { files } from "./files.ts";

/** Without OTLP, whose errors have other codes. */
const sources = import.meta.glob<string>(["../../src/{access,ingest}/**/*.ts", "!../../src/ingest/otlp/**"], {
  eager: true,
  query: "?raw",
  import: "default",
});

/** As the document writes numbers: 1,000 and −1. */
function written(number: number): string {
  return number.toLocaleString("en").replace("-", "−");
}

it.each([
  ["body", `${written(ingestLimits.bodyBytes)} bytes`],
  ["samples of a batch", `up to ${written(ingestLimits.samplesPerBatch)} samples`],
  ["stored size", `more than ${written(ingestLimits.storedBytesPerGroup)} bytes of storage`],
  ["key", `1 to ${ingestLimits.idempotencyKeyLength} characters`],
  ["service", `\`service\` | string, 1 to ${ingestLimits.serviceLength} characters`],
  ["function", `\`function\` | string, 1 to ${ingestLimits.functionLength} characters`],
  ["module", `\`module\` | string, up to ${ingestLimits.moduleLength} characters`],
  ["duration", `0 to ${written(MAX_DURATION_MS)}`],
  ["calls of a sample", `1 to ${written(ingestLimits.callsPerSample)}`],
  ["sum", `0 to ${written(ingestLimits.sumMs)}`],
  ["lowest bucket", `from ${written(MIN_BUCKET)} `],
  ["highest bucket", `to ${written(MAX_BUCKET)} `],
  ["failures of a sample", `up to ${ingestLimits.failuresPerSample} |`],
  ["failure's name", `Cut after ${ingestLimits.failureNameLength} characters`],
  ["failure's message", `Cut after ${ingestLimits.failureMessageLength} characters`],
  ["age", `up to ${ingestLimits.sampleAgeMs / 3_600_000} hours old`],
  ["reasons", `The first ${ingestLimits.reasonsPerBatch} rejected samples`],
])("wire-format.md names the limit: %s", (_, words) => {
  expect([words].filter((expected) => !text.includes(expected))).toEqual([]);
});

it("wire-format.md names every error code of ingest and access", () => {
  const codes = Object.values(sources).flatMap((source) =>
    [...source.matchAll(/(?:ErrorResponse\(\s*\d{3},|unavailable\()\s*"([a-z_]+)"/g)].map(
      ([, code]) => code!,
    ),
  );
  expect(codes.length).toBeGreaterThan(12);
  expect(codes.filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
});

it("wire-format.md links to every test vector", () => {
  const vectors = files.filter((file) => /^test\/vectors\/.*\.json$/.test(file));
  expect(vectors.filter((file) => !text.includes(`](../${file})`))).toEqual([]);
});
