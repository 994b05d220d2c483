/** Decodes the JSON of `POST /samples`. */
import type { Decoded, Decoder } from "../decoder.ts";
import { ingestLimits } from "../limits.ts";
import { parseJson } from "../parse-json.ts";
import { contentTypeOf } from "../read-body.ts";
import { clockErrorMs } from "./clock-error.ts";
import { readEnvelope } from "./read-envelope.ts";
import { readKey } from "./read-key.ts";
import { sumSamples } from "./sum-samples.ts";

const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
/** `navigator.sendBeacon` sends text as this type, without a CORS preflight request. */
const BEACON_TYPE = "text/plain";

/** @param ageMs how long ago the batch was made, if the sender says so */
export function samplesDecoder(ageMs: number | undefined): Decoder {
  return {
    body: {
      contentTypes: ["application/json", BEACON_TYPE],
      maxBytes: ingestLimits.bodyBytes,
    },
    bodyWithToken: {
      maxBytes: ingestLimits.beaconBytes,
      whenTooLarge: "Send the token in the header Authorization, which allows a larger body.",
    },
    mayHaveTokenInBody: (headers) => contentTypeOf(headers) === BEACON_TYPE,
    decode: (bytes, headers) => decode(bytes, headers, ageMs),
  };
}

async function decode(
  bytes: Uint8Array<ArrayBuffer>,
  headers: Headers,
  ageMs: number | undefined,
): Promise<Decoded> {
  const { service, samples, sentAt, idempotencyKey, token } = readEnvelope(parseJson(bytes));
  const digest = await digestOf(bytes);
  const sum = (now: number) => [
    {
      key: readKey(headers, idempotencyKey),
      digest,
      weight: bytes.byteLength,
      ...sumSamples(service, samples, now, clockErrorMs(sentAt, ageMs, now)),
    },
  ];
  return { token, parts: [{ service, sum }] };
}

/**
 * SHA-256 of the bytes from the first opening to the last closing bracket: the samples. The fields around them may change
 * between deliveries of one batch. A beacon has its key and its token there, and the token may be rotated. The buffer
 * keeps keys by service, so the digest need not cover the service.
 */
async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const samples = bytes.subarray(bytes.indexOf(OPENING_BRACKET), bytes.lastIndexOf(CLOSING_BRACKET) + 1);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", samples)).toHex();
}
