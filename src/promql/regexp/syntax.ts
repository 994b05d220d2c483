/** Parses RE2 syntax into a tree. Rejects what RE2 rejects: backreferences, lookaround, large repeats. */
import { type CharTest, type ParsedClass, compileClass, readBracket, readNamedClass } from "./classes.ts";
import { RegexpError, parseEscape } from "./escape.ts";

export type Assertion = "textStart" | "textEnd" | "lineStart" | "lineEnd" | "boundary" | "notBoundary";

export type Node =
  | { type: "empty" }
  | { type: "char"; test: CharTest; literal: string | undefined }
  | { type: "assert"; assertion: Assertion }
  | { type: "sequence" | "choice"; parts: Node[] }
  | { type: "group"; part: Node; index: number }
  | { type: "repeat"; part: Node; min: number; max: number; lazy: boolean };

export interface Syntax {
  root: Node;
  /** Names of the capture groups. Index 0 is the whole match. */
  groupNames: (string | undefined)[];
}

interface Flags {
  ignoreCase: boolean;
  multiLine: boolean;
  dotAll: boolean;
  swapLazy: boolean;
}

const MAX_REPEAT = 1000;
const MAX_DEPTH = 200;

export function parseSyntax(pattern: string): Syntax {
  return new SyntaxParser(pattern).parse();
}

class SyntaxParser {
  private readonly chars: string[];
  private position = 0;
  private depth = 0;
  private flags: Flags = { ignoreCase: false, multiLine: false, dotAll: true, swapLazy: false };
  private readonly groupNames: (string | undefined)[] = [undefined];

  constructor(pattern: string) {
    this.chars = Array.from(pattern);
  }

  parse(): Syntax {
    const root = this.choice();
    if (this.position < this.chars.length)
      throw new RegexpError("unexpected )", this.chars.slice(this.position).join(""));
    checkRepeats(root, 1);
    return { root, groupNames: this.groupNames };
  }

  private choice(): Node {
    if (++this.depth > MAX_DEPTH)
      throw new RegexpError("expression nests too deeply", this.chars.slice(this.position).join(""));
    const parts = [this.sequence()];
    while (this.take("|")) parts.push(this.sequence());
    this.depth--;
    return parts.length === 1 ? parts[0]! : { type: "choice", parts };
  }

  private sequence(): Node {
    const parts: Node[] = [];
    while (this.position < this.chars.length && this.peek() !== "|" && this.peek() !== ")") {
      const atom = this.atom();
      if (atom) parts.push(this.repeated(atom));
    }
    return parts.length === 1
      ? parts[0]!
      : parts.length === 0
        ? { type: "empty" }
        : { type: "sequence", parts };
  }

  private repeated(atom: Node): Node {
    const begin = this.position;
    const range = this.quantifier();
    if (!range) return atom;
    const lazy = this.take("?") !== this.flags.swapLazy;
    const end = this.position;
    if (this.quantifier()) {
      throw new RegexpError(
        "invalid nested repetition operator",
        this.chars.slice(begin, Math.max(end, this.position)).join(""),
      );
    }
    return { type: "repeat", part: atom, min: range[0], max: range[1], lazy };
  }

  /** Reads `*`, `+`, `?` or a count. A brace that is no count stands for itself. */
  private quantifier(): [number, number] | undefined {
    if (this.take("*")) return [0, Infinity];
    if (this.take("+")) return [1, Infinity];
    if (this.take("?")) return [0, 1];
    const counts = /^\{(\d+)(,(\d*))?\}/.exec(this.chars.slice(this.position, this.position + 24).join(""));
    if (!counts) return undefined;
    const min = Number(counts[1]);
    const max = counts[2] === undefined ? min : counts[3] === "" ? Infinity : Number(counts[3]);
    if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT) || max < min) {
      throw new RegexpError("invalid repeat count", counts[0]);
    }
    this.position += counts[0].length;
    return [min, max];
  }

  /** One element. Nothing for a group that only sets flags. */
  private atom(): Node | undefined {
    const char = this.next();
    switch (char) {
      case "(":
        return this.group();
      case "[":
        return this.charClass(readBracket(this.chars, this.position - 1));
      case ".":
        return {
          type: "char",
          test: this.flags.dotAll ? () => true : (code) => code !== 10,
          literal: undefined,
        };
      case "^":
        return { type: "assert", assertion: this.flags.multiLine ? "lineStart" : "textStart" };
      case "$":
        return { type: "assert", assertion: this.flags.multiLine ? "lineEnd" : "textEnd" };
      case "\\":
        return this.escape();
      case "*":
      case "+":
      case "?":
        throw new RegexpError("missing argument to repetition operator", char);
      default:
        return this.literal(char);
    }
  }

  private literal(char: string): Node {
    const code = char.codePointAt(0)!;
    const folds = this.flags.ignoreCase && char.toLowerCase() !== char.toUpperCase();
    if (folds) return { type: "char", test: compileClass(char, true, char), literal: undefined };
    return { type: "char", test: (other) => other === code, literal: char };
  }

  /** A class that begins with the character read last. */
  private charClass({ source, length }: ParsedClass): Node {
    const begin = this.position - 1;
    this.position = begin + length;
    const pattern = this.chars.slice(begin, this.position).join("");
    return { type: "char", test: compileClass(source, this.flags.ignoreCase, pattern), literal: undefined };
  }

  private group(): Node | undefined {
    const outer = { ...this.flags };
    if (!this.take("?")) return this.groupBody(outer, undefined, true);
    const rest = this.chars.slice(this.position).join("");
    const named = /^P?<([^>]*)>/.exec(rest);
    if (named && !rest.startsWith("<=") && !rest.startsWith("<!")) {
      const name = named[1]!;
      if (!/^\w+$/.test(name)) throw new RegexpError("invalid named capture", `(?${named[0]}`);
      if (this.groupNames.includes(name)) throw new RegexpError("duplicate capture group name", name);
      this.position += Array.from(named[0]).length;
      return this.groupBody(outer, name, true);
    }
    const flags = /^([imsU]*)(-[imsU]+)?([:)])/.exec(rest);
    if (!flags || (flags[0] === ")" && flags[1] === "")) {
      throw new RegexpError("invalid or unsupported Perl syntax", `(?${rest.slice(0, 1)}`);
    }
    this.position += flags[0].length;
    this.setFlags(flags[1]!, true);
    this.setFlags((flags[2] ?? "").slice(1), false);
    return flags[3] === ")" ? undefined : this.groupBody(outer, undefined, false);
  }

  private groupBody(outer: Flags, name: string | undefined, captures: boolean): Node {
    const index = captures ? this.groupNames.push(name) - 1 : 0;
    const part = this.choice();
    if (!this.take(")")) throw new RegexpError("missing closing )", this.chars.join(""));
    this.flags = outer;
    return captures ? { type: "group", part, index } : part;
  }

  private setFlags(names: string, value: boolean): void {
    for (const name of names) {
      if (name === "i") this.flags.ignoreCase = value;
      else if (name === "m") this.flags.multiLine = value;
      else if (name === "s") this.flags.dotAll = value;
      else this.flags.swapLazy = value;
    }
  }

  private escape(): Node {
    const char = this.chars[this.position++];
    if (char === undefined) throw new RegexpError("trailing backslash at end of expression", "");
    const assertion = ASSERTIONS[char];
    if (assertion) return { type: "assert", assertion };
    if (char === "Q") return this.quoted();
    const named = readNamedClass(this.chars, this.position - 2);
    if (named) {
      this.position--;
      return this.charClass(named);
    }
    const { code, length } = parseEscape(this.chars, this.position - 2);
    this.position += length - 2;
    return this.literal(String.fromCodePoint(code));
  }

  /** The text between `\Q` and `\E`, or the end of the pattern. */
  private quoted(): Node {
    const parts: Node[] = [];
    while (this.position < this.chars.length) {
      if (this.peek() === "\\" && this.chars[this.position + 1] === "E") {
        this.position += 2;
        break;
      }
      parts.push(this.literal(this.next()));
    }
    return { type: "sequence", parts };
  }

  private peek(): string | undefined {
    return this.chars[this.position];
  }

  private next(): string {
    return this.chars[this.position++]!;
  }

  private take(char: string): boolean {
    if (this.peek() !== char) return false;
    this.position++;
    return true;
  }
}

const ASSERTIONS: Record<string, Assertion | undefined> = {
  A: "textStart",
  z: "textEnd",
  b: "boundary",
  B: "notBoundary",
};

/** Nested repeats multiply. RE2 limits their product, so that a short pattern cannot make a huge program. */
function checkRepeats(node: Node, factor: number): void {
  if (node.type === "repeat") {
    const count = Math.max(1, node.max === Infinity ? node.min : node.max);
    if (factor * count > MAX_REPEAT) throw new RegexpError("invalid repeat count", `{${node.min}}`);
    checkRepeats(node.part, factor * count);
  } else if (node.type === "group") checkRepeats(node.part, factor);
  else if (node.type === "sequence" || node.type === "choice")
    for (const part of node.parts) checkRepeats(part, factor);
}
