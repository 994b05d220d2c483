/**
 * Regular expressions as Prometheus has them: RE2 syntax, anchored at both ends, `.` matches newlines.
 *
 * JavaScript's own engine lacks `(?i)`, `(?P<name>…)`, `\z` and `[[:alpha:]]`, and a short pattern can keep it busy
 * for years. This one takes time linear to the text. https://github.com/google/re2/wiki/Syntax
 */
import { Work, makeMatcher, runCaptures } from "./match.ts";
import { type Program, compileProgram } from "./program.ts";
import { type Node, type Syntax, parseSyntax } from "./syntax.ts";

export class Regexp {
  readonly pattern: string;
  /** The texts that match, if the pattern lists them one by one, such as `a|b`. A source can look them up. */
  readonly literals: readonly string[] | undefined;
  private readonly syntax: Syntax;
  private readonly work = new Work();
  private program: Program | undefined;
  private matcher: ((text: string) => boolean) | undefined;

  /** @throws RegexpError if the pattern is not valid. */
  constructor(pattern: string) {
    this.pattern = pattern;
    this.syntax = parseSyntax(pattern);
    this.literals = listLiterals(this.syntax.root);
    if (!this.literals) this.program = compileProgram(this.syntax.root);
  }

  /** Whether the whole text matches. */
  matches(text: string): boolean {
    this.matcher ??= this.literals ? makeSet(this.literals) : makeMatcher(this.program!, this.work);
    return this.matcher(text);
  }

  /**
   * Replaces `$1`, `${1}` and `${name}` in the template by the groups of a match of the whole text.
   * `$$` is a dollar. A group that does not exist is empty. Undefined if the text does not match.
   */
  expand(text: string, template: string): string | undefined {
    this.program ??= compileProgram(this.syntax.root);
    const { groupNames } = this.syntax;
    const slots = runCaptures(this.program, 2 * groupNames.length, text, this.work);
    if (!slots) return undefined;
    const chars = Array.from(text);
    return template.replaceAll(/\$(?:(\$)|(\w+)|\{(\w+)\})/gu, (_whole, dollar, bare, braced) => {
      if (dollar !== undefined) return "$";
      const name = String(bare ?? braced);
      const index = /^\d+$/.test(name) ? Number(name) : groupNames.indexOf(name);
      if (index === 0) return text;
      const begin = slots[2 * index] ?? -1;
      return begin < 0 ? "" : chars.slice(begin, slots[2 * index + 1]).join("");
    });
  }
}

const makeSet = (texts: readonly string[]): ((text: string) => boolean) => {
  const set = new Set(texts);
  return (text) => set.has(text);
};

const MAX_LITERALS = 1000;

/** The texts that the node matches, if there are few and all are spelled out. */
function listLiterals(node: Node): string[] | undefined {
  switch (node.type) {
    case "empty":
      return [""];
    case "char":
      return node.literal === undefined ? undefined : [node.literal];
    case "group":
      return listLiterals(node.part);
    case "choice": {
      const lists = node.parts.map(listLiterals);
      const all = lists.flatMap((list) => list ?? []);
      return lists.includes(undefined) || all.length > MAX_LITERALS ? undefined : all;
    }
    case "sequence": {
      let texts = [""];
      for (const part of node.parts) {
        const endings = listLiterals(part);
        if (!endings || endings.length * texts.length > MAX_LITERALS) return undefined;
        texts = texts.flatMap((text) => endings.map((ending) => text + ending));
      }
      return texts;
    }
    case "assert":
    case "repeat":
      return undefined;
  }
}
