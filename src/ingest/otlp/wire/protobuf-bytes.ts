/** Steps through bytes in protobuf's wire format. Each method throws `Malformed` if it would read past `end`. */
import { Malformed } from "./message.ts";
import { TextMemory } from "./text-memory.ts";

export const VARINT = 0;
export const FIXED64 = 1;
export const LENGTH = 2;
export const FIXED32 = 5;

const TWO_32 = 2 ** 32;
/** 2^32 nanoseconds are this many whole milliseconds, and this many nanoseconds more. */
const WHOLE_MS_OF_TWO_32 = 4294;
const MORE_NS_OF_TWO_32 = 967_296;
const NS_PER_MS = 1e6;
const SHOWN_BYTES = 4096;

export class ProtobufBytes {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #texts: TextMemory;
  at = 0;
  /** The upper 32 bits of the varint that was read last. */
  #high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#texts = new TextMemory(bytes);
  }

  /** The number and the wire type of the next field. */
  tag(end: number): number {
    const tag = this.#low32(end);
    if (this.#high !== 0 || tag >>> 3 === 0)
      throw new Malformed(`there is no valid field at byte ${this.at}`);
    return tag;
  }

  /** Reads the length of a nested value. Returns where the value ends. */
  enter(end: number): number {
    const length = this.uint64(end);
    if (length > end - this.at) throw this.#cut();
    return this.at + length;
  }

  skip(wireType: number, end: number): void {
    if (wireType === VARINT) this.#low32(end);
    else if (wireType === FIXED64) this.#advance(8, end);
    else if (wireType === LENGTH) this.at = this.enter(end);
    else if (wireType === FIXED32) this.#advance(4, end);
    else throw new Malformed(`there is an unknown wire type at byte ${this.at}`);
  }

  /** Above 2^53 only approximately. */
  uint64(end: number): number {
    const low = this.#low32(end);
    return this.#high * TWO_32 + low;
  }

  int64(end: number): number {
    const low = this.#low32(end);
    return (this.#high | 0) * TWO_32 + low;
  }

  sint(end: number): number {
    const low = this.#low32(end);
    return (low >>> 1) ^ -(low & 1);
  }

  fixed64(end: number): number {
    const at = this.#advance(8, end);
    return this.#view.getUint32(at + 4, true) * TWO_32 + this.#view.getUint32(at, true);
  }

  sfixed64(end: number): number {
    const at = this.#advance(8, end);
    return this.#view.getInt32(at + 4, true) * TWO_32 + this.#view.getUint32(at, true);
  }

  double(end: number): number {
    return this.#view.getFloat64(this.#advance(8, end), true);
  }

  /** Nanoseconds as milliseconds. It divides before the halves become one number, which would have too few bits for all of them. */
  time(end: number): number {
    const at = this.#advance(8, end);
    const high = this.#view.getUint32(at + 4, true);
    const rest = high * MORE_NS_OF_TWO_32 + this.#view.getUint32(at, true);
    return high * WHOLE_MS_OF_TWO_32 + Math.floor(rest / NS_PER_MS) + (rest % NS_PER_MS) / NS_PER_MS;
  }

  /** The text from here to `end`. */
  text(end: number): string {
    const text = this.#texts.read(this.at, end);
    this.at = end;
    return text;
  }

  /** Bytes as a text that is the same whenever the bytes are. Of very long ones only the length and the beginning. */
  asText(start: number, end: number): string {
    return `${end - start} ${this.#bytes.slice(start, Math.min(end, start + SHOWN_BYTES)).toHex()}`;
  }

  /** The lower 32 bits of a varint. The upper ones are then in `#high`. */
  #low32(end: number): number {
    const bytes = this.#bytes;
    let low = 0;
    this.#high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= end) throw this.#cut();
      const byte = bytes[this.at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        this.#high = bits >>> 4;
      } else this.#high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.#high >>>= 0;
        return low >>> 0;
      }
    }
    throw new Malformed(`a number at byte ${this.at} has more than ten bytes`);
  }

  #advance(by: number, end: number): number {
    const { at } = this;
    if (end - at < by) throw this.#cut();
    this.at += by;
    return at;
  }

  #cut(): Malformed {
    return new Malformed(`it is cut off, or a length is wrong, at byte ${this.at}`);
  }
}
