/**
 * Describes messages of OTLP as tables that both readers walk: one for JSON, one for protobuf. A table names the fields that
 * this server uses. Readers skip all others.
 *
 * https://github.com/open-telemetry/opentelemetry-proto
 */

/** `time`: nanoseconds on the wire, milliseconds with a fraction in memory. `enum`: a number, or its name without a prefix. */
export type Scalar =
  | "text"
  | "enum"
  | "bool"
  | "int"
  | "sint"
  | "uint64"
  | "fixed64"
  | "sfixed64"
  | "double"
  | "time";

export type Kind =
  | { is: Scalar }
  /** A list of numbers. */
  | { is: "numbers"; of: "fixed64" | "uint64" | "double" }
  | { is: "message"; of: Message }
  | { is: "messages"; of: Message }
  /** Attributes as a map. With `wanted`, only those. Without, all of them, lists and maps as the text of their encoding. */
  | { is: "attributes"; wanted: ReadonlySet<string> | null }
  /** Messages that are handed out one by one and not kept, so that memory does not grow with the request. */
  | { is: "stream"; of: Message };

export interface Field {
  name: string;
  number: number;
  kind: Kind;
}

export interface Message {
  byName: ReadonlyMap<string, Field>;
  byNumber: readonly (Field | undefined)[];
  /** Whether one of the fields is a stream. A message without one is handed out itself. */
  hasStream: boolean;
  /**
   * Fields that must be known before a stream is read. A message may give its fields in any order. If one of these is
   * missing when the stream comes, the stream is read at the end of the message.
   */
  before: readonly string[];
}

/** What a reader makes of a message: the fields that the message has, and the message around it. */
export interface Fields {
  parent: Fields | null;
  /** The field of the parent that has it. */
  as: string;
  [name: string]: unknown;
}

export type AttributeValue = string | number | boolean;
export type Attributes = ReadonlyMap<string, AttributeValue>;

/** Messages may be nested in each other up to this depth. */
export const MAX_DEPTH = 64;
/** Entries of one list of numbers, and attributes of one list. */
export const MAX_ENTRIES = 10_000;

/** The bytes are not the encoding of a message. The message says why. */
export class Malformed extends Error {}

export function message(
  fields: Record<string, [number: number, kind: Scalar | Kind]>,
  before: string[] = [],
): Message {
  const all = Object.entries(fields).map(([name, [number, kind]]): Field => {
    return { name, number, kind: typeof kind === "string" ? { is: kind } : kind };
  });
  const byNumber: (Field | undefined)[] = [];
  for (const field of all) byNumber[field.number] = field;
  return {
    byName: new Map(all.map((field) => [field.name, field])),
    byNumber: Array.from(byNumber),
    hasStream: all.some(({ kind }) => kind.is === "stream"),
    before,
  };
}
