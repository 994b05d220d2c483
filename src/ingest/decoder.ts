/**
 * The interface of a request format, such as the JSON of `POST /samples`. A format is one folder beside `samples/`: a
 * decoder, and a function that calls `ingest` with it and turns the outcomes into an answer in the sender's own format.
 */
import type { Batch } from "./batch.ts";
import type { BodyFormat } from "./read-body.ts";

export interface Decoder {
  body: BodyFormat;
  /**
   * Whether a request without an `Authorization` header may have its token in the body. Such a body is decoded before the
   * token is checked. If this method is left out, every request needs the header.
   */
  mayHaveTokenInBody?(headers: Headers): boolean;
  /** The part of `body` that differs for such a request. */
  bodyWithToken?: Pick<BodyFormat, "maxBytes" | "whenTooLarge">;
  /**
   * Reads a request. WARNING: keep no reference to `bytes` after `sum` was called: the memory is reused.
   *
   * @throws {ErrorResponse} if the request as a whole is unusable
   */
  decode(bytes: Uint8Array<ArrayBuffer>, headers: Headers): Promise<Decoded>;
}

export interface Decoded {
  /** The token in the body, if there is one. It counts only if `mayHaveTokenInBody`. */
  token?: string | undefined;
  /** The samples, by service. No service comes twice. */
  parts: DecodedPart[];
}

export interface DecodedPart {
  service: string;
  /**
   * Validates the samples and sums them into one or more batches, each small enough to store and with its own key.
   * Called once, after the token was found to permit posting for the service.
   *
   * @param now epoch milliseconds
   */
  sum: (now: number) => Omit<Batch, "service">[];
}
