/**
 * Reads messages in protobuf's wire format, guided by the tables. Unknown fields are skipped, and so are fields whose wire
 * type is not that of the table.
 *
 * https://protobuf.dev/programming-guides/encoding/
 */
import {
  type AttributeValue,
  type Field,
  type Fields,
  type Kind,
  Malformed,
  MAX_ENTRIES,
  type Message,
  type Scalar,
} from "./message.ts";
import { FIXED64, LENGTH, ProtobufBytes, VARINT } from "./protobuf-bytes.ts";

/**
 * Calls `take` for each message without a stream that is inside of streams.
 *
 * @throws {Malformed}
 */
export function readProtobuf(bytes: Uint8Array, message: Message, take: (fields: Fields) => void): void {
  new Reader(new ProtobufBytes(bytes), take).stream(message, bytes.byteLength, null, "");
}

class Reader {
  readonly #bytes: ProtobufBytes;
  readonly #take: (fields: Fields) => void;
  /** Of the field that `#field` returned last. */
  #wireType = VARINT;

  constructor(bytes: ProtobufBytes, take: (fields: Fields) => void) {
    this.#bytes = bytes;
    this.#take = take;
  }

  stream(message: Message, end: number, parent: Fields | null, as: string): void {
    const fields: Fields = { parent, as };
    this.#message(message, end, fields);
    if (!message.hasStream) this.#take(fields);
  }

  #message(message: Message, end: number, fields: Fields): void {
    const bytes = this.#bytes;
    const start = bytes.at;
    let hasLater = false;
    while (bytes.at < end) {
      const field = this.#field(message, end);
      if (field === undefined) continue;
      if (field.kind.is !== "stream") {
        this.#value(field, end, fields);
      } else if (message.before.every((name) => name in fields)) {
        this.stream(field.kind.of, bytes.enter(end), fields, field.name);
      } else {
        bytes.skip(LENGTH, end);
        hasLater = true;
      }
    }
    if (hasLater) this.#readLaterStreams(message, start, end, fields);
  }

  /**
   * Reads the streams that came before fields that they need, and no others. It steps through the message again, because a
   * list of their places could be longer than the message.
   */
  #readLaterStreams(message: Message, start: number, end: number, fields: Fields): void {
    const bytes = this.#bytes;
    const missing = new Set(message.before);
    bytes.at = start;
    while (bytes.at < end) {
      const field = this.#field(message, end);
      if (field === undefined) continue;
      if (field.kind.is === "stream" && missing.size > 0) {
        this.stream(field.kind.of, bytes.enter(end), fields, field.name);
      } else {
        missing.delete(field.name);
        bytes.skip(this.#wireType, end);
      }
    }
  }

  /** The next field if the table has it with this wire type. Any other is skipped. */
  #field(message: Message, end: number): Field | undefined {
    const bytes = this.#bytes;
    const tag = bytes.tag(end);
    const wireType = tag & 7;
    const field = message.byNumber[tag >>> 3];
    if (field !== undefined && isEncodedAs(field.kind, wireType)) {
      this.#wireType = wireType;
      return field;
    }
    bytes.skip(wireType, end);
    return undefined;
  }

  #value({ name, kind }: Field, end: number, fields: Fields): void {
    const bytes = this.#bytes;
    switch (kind.is) {
      case "message": {
        // Later parts of a message add to the earlier ones.
        const inner = (fields[name] ??= { parent: fields, as: name }) as Fields;
        this.#message(kind.of, bytes.enter(end), inner);
        return;
      }
      case "messages": {
        const inner: Fields = { parent: fields, as: name };
        this.#message(kind.of, bytes.enter(end), inner);
        ((fields[name] ??= []) as Fields[]).push(inner);
        return;
      }
      case "attributes": {
        const all = (fields[name] ??= new Map()) as Map<string, AttributeValue>;
        readAttribute(bytes, bytes.enter(end), all, kind.wanted);
        return;
      }
      case "numbers": {
        const all = (fields[name] ??= []) as number[];
        const last = this.#wireType === LENGTH ? bytes.enter(end) : bytes.at + 1;
        while (bytes.at < last) {
          if (all.length >= MAX_ENTRIES) throw new Malformed(`${name} has more than ${MAX_ENTRIES} entries`);
          all.push(readScalar(bytes, kind.of, end) as number);
        }
        return;
      }
      case "stream":
        return;
      default:
        fields[name] = readScalar(bytes, kind.is, end);
    }
  }
}

function isEncodedAs(kind: Kind, wireType: number): boolean {
  switch (kind.is) {
    case "message":
    case "messages":
    case "attributes":
    case "stream":
      return wireType === LENGTH;
    case "numbers":
      // Packed into one field, or each in a field of its own.
      return wireType === LENGTH || wireType === wireTypeOf(kind.of);
    default:
      return wireType === wireTypeOf(kind.is);
  }
}

function wireTypeOf(scalar: Scalar): number {
  switch (scalar) {
    case "text":
      return LENGTH;
    case "time":
    case "fixed64":
    case "sfixed64":
    case "double":
      return FIXED64;
    default:
      return VARINT;
  }
}

function readScalar(bytes: ProtobufBytes, scalar: Scalar, end: number): unknown {
  switch (scalar) {
    case "text":
      return bytes.text(bytes.enter(end));
    case "enum":
    case "int":
    case "uint64":
      return bytes.uint64(end);
    case "sint":
      return bytes.sint(end);
    case "bool":
      return bytes.uint64(end) !== 0;
    case "time":
      return bytes.time(end);
    case "fixed64":
      return bytes.fixed64(end);
    case "sfixed64":
      return bytes.sfixed64(end);
    case "double":
      return bytes.double(end);
  }
}

const KEY = 1;
const VALUE = 2;

function readAttribute(
  bytes: ProtobufBytes,
  end: number,
  all: Map<string, AttributeValue>,
  wanted: ReadonlySet<string> | null,
): void {
  let key = "";
  let valueAt = -1;
  let valueEnd = -1;
  while (bytes.at < end) {
    const tag = bytes.tag(end);
    if (tag === ((KEY << 3) | LENGTH)) key = bytes.text(bytes.enter(end));
    else if (tag === ((VALUE << 3) | LENGTH)) {
      valueEnd = bytes.enter(end);
      valueAt = bytes.at;
      bytes.at = valueEnd;
    } else bytes.skip(tag & 7, end);
  }
  if (valueAt < 0 || (wanted !== null && !wanted.has(key))) return;
  bytes.at = valueAt;
  const value = anyValue(bytes, valueEnd, wanted === null);
  bytes.at = end;
  // The last value of a key counts.
  if (value !== undefined) all.set(key, value);
  if (all.size > MAX_ENTRIES) throw new Malformed(`attributes has more than ${MAX_ENTRIES} entries`);
}

/** Undefined if there is no value, or if it is a list, a map or bytes and `keepsText` is false. */
function anyValue(bytes: ProtobufBytes, end: number, keepsText: boolean): AttributeValue | undefined {
  let value: AttributeValue | undefined;
  while (bytes.at < end) {
    const start = bytes.at;
    switch (bytes.tag(end)) {
      case (1 << 3) | LENGTH:
        value = bytes.text(bytes.enter(end));
        break;
      case (2 << 3) | VARINT:
        value = bytes.uint64(end) !== 0;
        break;
      case (3 << 3) | VARINT:
        value = bytes.int64(end);
        break;
      case (4 << 3) | FIXED64:
        value = bytes.double(end);
        break;
      default:
        bytes.at = start;
        bytes.skip(bytes.tag(end) & 7, end);
        if (keepsText) value = bytes.asText(start, bytes.at);
    }
  }
  return value;
}
