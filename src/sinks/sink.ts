/** What a kind of store must say of itself, so that rows can be sent to it. One file in `targets/` for each. */
import type * as z from "zod";
import type { FeedRow } from "../store/feed.ts";
import type { SeriesSelector } from "../stats/series-id.ts";

/** A row as a store gets it. Of two rows with one key, the one with the higher version is right. */
export type Row = Omit<FeedRow, "seq"> & { version: number };

/** Takes rows out of the store: those with a version below `below` that the other fields select. */
export interface Deletion {
  /** All series, if left out. */
  selector?: SeriesSelector | undefined;
  /** Epoch seconds; `from` is included, `to` is not. */
  time?: { from: number; to: number } | undefined;
  below: number;
}

export interface OutgoingRequest {
  url: string;
  method?: "POST" | "PUT";
  headers: Record<string, string>;
  body: string | Uint8Array<ArrayBuffer>;
}

export interface Answer {
  status: number;
  /** The beginning of the body. */
  text: string;
}

/** What an answer means. Reasons are for people and hold nothing secret. */
export type Verdict =
  | { result: "done" }
  /** It may work later. */
  | { result: "retry"; reason: string }
  /** It will not work before a person changes the configuration or the store. No row is at fault. */
  | { result: "misconfigured"; reason: string }
  /** Some row is at fault, and the answer does not say which. */
  | { result: "split"; reason: string }
  /** These rows are at fault. Those of `again` were not taken and may be sent again. The others are done. */
  | { result: "refused"; refused: { row: Row; reason: string }[]; again: Row[]; reason: string };

export interface Sink<Configuration> {
  name: string;
  configuration: z.ZodType<Configuration>;
  /** Fields of the configuration that are never returned. */
  secrets: readonly (keyof Configuration & string)[];
  /** The address that is checked before it is stored. */
  addressOf: (configuration: Configuration) => string;
  encode: (rows: readonly Row[], configuration: Configuration) => Promise<OutgoingRequest> | OutgoingRequest;
  /** The requests that carry out a deletion, one after the other. */
  encodeDeletion: (
    deletion: Deletion,
    configuration: Configuration,
  ) => Promise<OutgoingRequest[]> | OutgoingRequest[];
  judge: (answer: Answer, rows: readonly Row[]) => Verdict;
}

/** The key of a row as a text. Names hold no control characters. */
export function rowKey({
  service,
  module,
  function: name,
  start,
  seconds,
  part,
}: Omit<Row, "version">): string {
  return [service, module, name, start, seconds, part].join("\n");
}

/** For stores that name no row in their answers: what a status means. */
export function judgeStatus({ status, text }: Answer): Verdict {
  const reason = `${status}${text === "" ? "" : `: ${text.trim().slice(0, 300)}`}`;
  if (status >= 200 && status < 300) return { result: "done" };
  if (status >= 300 && status < 400) {
    return {
      result: "misconfigured",
      reason: `${status}: redirects are not followed.`,
    };
  }
  if (status === 408 || status === 429 || status >= 500) return { result: "retry", reason };
  if ([401, 403, 404, 405, 410].includes(status)) return { result: "misconfigured", reason };
  return { result: "split", reason };
}
