/** Steps through JSON text, value by value. All methods skip white space first. Each throws `Malformed` if something else comes. */
import { enumNumber } from "./enum-names.ts";
import { Malformed, MAX_DEPTH } from "./message.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const LETTER_F = 0x66;
const LETTER_N = 0x6e;
const LETTER_T = 0x74;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const DIGITS = /^\d+$/;
/** Digits of a nanosecond count that are below a millisecond. */
const DIGITS_BELOW_MS = 6;

export class JsonText {
  readonly #text: string;
  /** The position of the next character. Set it to a position from earlier to read a value again. */
  at = 0;
  /** The first backslash at or after `#soughtFrom`, so that the text is searched for backslashes only once. */
  #backslash = -1;
  #soughtFrom = 0;

  constructor(text: string) {
    this.#text = text;
  }

  requireEnd(): void {
    this.#peek();
    if (this.at < this.#text.length) this.#fail("the end");
  }

  beginObject(): void {
    if (this.#peek() !== OPEN_BRACE) this.#fail("an object");
    this.at++;
  }

  /** Whether the object has another member. Then its key is next. */
  nextMember(isFirst: boolean): boolean {
    return this.#next(isFirst, CLOSE_BRACE);
  }

  endObject(): void {
    this.at++;
  }

  /** The key of a member, with its colon. */
  key(): string {
    if (this.#peek() !== QUOTE) this.#fail("a name in quotes");
    const key = this.#string();
    if (this.#peek() !== COLON) this.#fail("a colon");
    this.at++;
    return key;
  }

  isAtArray(): boolean {
    return this.#peek() === OPEN_BRACKET;
  }

  eachElement(read: () => void): void {
    if (this.#peek() !== OPEN_BRACKET) this.#fail("a list");
    this.at++;
    for (let isFirst = true; this.#next(isFirst, CLOSE_BRACKET); isFirst = false) read();
    this.at++;
  }

  /** Reads a null, if one comes. */
  takeNull(): boolean {
    if (this.#peek() !== LETTER_N) return false;
    this.#word("null");
    return true;
  }

  text(name: string): string {
    if (this.#peek() !== QUOTE) this.#fail(`text as ${name}`);
    return this.#string();
  }

  boolean(name: string): boolean {
    const next = this.#peek();
    if (next !== LETTER_T && next !== LETTER_F) this.#fail(`true or false as ${name}`);
    this.#word(next === LETTER_T ? "true" : "false");
    return next === LETTER_T;
  }

  /** A number, or text of one: JSON has no other way to write 64 bits, NaN and infinities. NaN for any other text. */
  number(name: string): number {
    const raw = this.#rawNumber(name);
    return raw === "" ? Number.NaN : Number(raw);
  }

  enumNumber(name: string): number {
    const raw = this.#rawNumber(name);
    return Number.isNaN(Number(raw)) ? enumNumber(raw) : Number(raw);
  }

  /** Nanoseconds as milliseconds. The digits are cut before they become numbers, which have too few bits for all of them. */
  time(name: string): number {
    const raw = this.#rawNumber(name);
    if (raw.length <= DIGITS_BELOW_MS || !DIGITS.test(raw)) return Number(raw) / 1e6;
    return Number(raw.slice(0, -DIGITS_BELOW_MS)) + Number(raw.slice(-DIGITS_BELOW_MS)) / 1e6;
  }

  /** A part of the text as it stands. */
  between(start: number, end: number): string {
    return this.#text.slice(start, end);
  }

  /** Skips a value of any kind. */
  skip(depth = 0): void {
    if (depth > MAX_DEPTH) throw new Malformed(`it is nested more than ${MAX_DEPTH} levels deep`);
    const next = this.#peek();
    switch (next) {
      case QUOTE:
        this.#skipString();
        return;
      case OPEN_BRACE:
        this.at++;
        for (let isFirst = true; this.#next(isFirst, CLOSE_BRACE); isFirst = false) {
          if (this.#peek() !== QUOTE) this.#fail("a name in quotes");
          this.#skipString();
          if (this.#peek() !== COLON) this.#fail("a colon");
          this.at++;
          this.skip(depth + 1);
        }
        this.at++;
        return;
      case OPEN_BRACKET:
        this.at++;
        for (let isFirst = true; this.#next(isFirst, CLOSE_BRACKET); isFirst = false) this.skip(depth + 1);
        this.at++;
        return;
      case LETTER_T:
        return this.#word("true");
      case LETTER_F:
        return this.#word("false");
      case LETTER_N:
        return this.#word("null");
      default:
        this.#numberToken("a value");
    }
  }

  /** The next character that is not white space; NaN at the end. */
  #peek(): number {
    const text = this.#text;
    let next = text.charCodeAt(this.at);
    while (next === 0x20 || next === 0x0a || next === 0x0d || next === 0x09)
      next = text.charCodeAt(++this.at);
    return next;
  }

  #next(isFirst: boolean, end: number): boolean {
    const next = this.#peek();
    if (next === end) return false;
    if (isFirst) return true;
    if (next !== COMMA) this.#fail("a comma");
    this.at++;
    if (this.#peek() === end) this.#fail("a value");
    return true;
  }

  #rawNumber(name: string): string {
    return this.#peek() === QUOTE ? this.#string() : this.#numberToken(`a number as ${name}`);
  }

  #numberToken(expected: string): string {
    NUMBER.lastIndex = this.at;
    if (!NUMBER.test(this.#text)) this.#fail(expected);
    const token = this.#text.slice(this.at, NUMBER.lastIndex);
    this.at = NUMBER.lastIndex;
    return token;
  }

  #word(word: string): void {
    if (!this.#text.startsWith(word, this.at)) this.#fail("a value");
    this.at += word.length;
  }

  #string(): string {
    const start = this.at;
    const hasEscape = this.#skipString();
    if (!hasEscape) return this.#text.slice(start + 1, this.at - 1);
    try {
      return JSON.parse(this.#text.slice(start, this.at)) as string;
    } catch {
      throw new Malformed(`there is an invalid escape in the text at position ${start}`);
    }
  }

  /** Whether the text has an escape. */
  #skipString(): boolean {
    const text = this.#text;
    const start = this.at + 1;
    let end = text.indexOf('"', start);
    while (end >= 0 && isEscaped(text, end, start)) end = text.indexOf('"', end + 1);
    if (end < 0) this.#fail("the end of a text");
    this.at = end + 1;
    if (start < this.#soughtFrom || start > this.#backslash) {
      this.#soughtFrom = start;
      const next = text.indexOf("\\", start);
      this.#backslash = next < 0 ? text.length : next;
    }
    return this.#backslash < end;
  }

  #fail(expected: string): never {
    const found =
      this.at >= this.#text.length ? "the body ends" : `there is ${JSON.stringify(this.#text[this.at])}`;
    throw new Malformed(`${found} at position ${this.at}, where ${expected} should be`);
  }
}

/** Whether an odd number of backslashes stands before the position. */
function isEscaped(text: string, at: number, start: number): boolean {
  let before = at - 1;
  while (before >= start && text.charCodeAt(before) === BACKSLASH) before--;
  return (at - 1 - before) % 2 === 1;
}
