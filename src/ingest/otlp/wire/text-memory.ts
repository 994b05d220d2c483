/**
 * Decodes UTF-8 and remembers the texts that it decoded last. Spans repeat the same keys and names, and comparing bytes is
 * several times as fast as decoding them again.
 */

const decoder = new TextDecoder();
/** Longer texts seldom repeat. */
const REMEMBERED_BYTES = 64;
/** The number of places. A power of 2, because the hash is cut to it with a bit mask. */
const PLACES = 1024;

interface Remembered {
  start: number;
  text: string;
}

export class TextMemory {
  readonly #bytes: Uint8Array;
  readonly #places = Array<Remembered | undefined>(PLACES);
  /** The length of each remembered text, in bytes. */
  readonly #lengths = new Uint8Array(PLACES);

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes that are not UTF-8 become U+FFFD. */
  read(start: number, end: number): string {
    const length = end - start;
    if (length === 0) return "";
    if (length > REMEMBERED_BYTES) return this.#decode(start, end);
    const bytes = this.#bytes;
    let hash = length;
    for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0;
    const place = (hash ^ (hash >>> 15)) & (PLACES - 1);
    const known = this.#places[place];
    if (known !== undefined && this.#lengths[place] === length && this.#isSame(known.start, start, length)) {
      return known.text;
    }
    const text = this.#decode(start, end);
    this.#places[place] = { start, text };
    this.#lengths[place] = length;
    return text;
  }

  #isSame(a: number, b: number, length: number): boolean {
    const bytes = this.#bytes;
    for (let i = 0; i < length; i++) if (bytes[a + i] !== bytes[b + i]) return false;
    return true;
  }

  #decode(start: number, end: number): string {
    return decoder.decode(this.#bytes.subarray(start, end));
  }
}
