/** Translates the tree of a regular expression into a program for Thompson's machine. */
import type { CharTest } from "./classes.ts";
import { RegexpError } from "./escape.ts";
import type { Assertion, Node } from "./syntax.ts";

/** One instruction. `next` and `other` are indexes into the program. `split` prefers `next`. */
export type Instruction =
  | { op: "char"; test: CharTest; next: number }
  | { op: "split"; next: number; other: number }
  | { op: "save"; slot: number; next: number }
  | { op: "assert"; assertion: Assertion; next: number }
  | { op: "match" };

export type Program = Instruction[];

/** A pattern that needs more instructions is rejected. Matching takes at most this many steps a character. */
const MAX_INSTRUCTIONS = 10_000;

export function compileProgram(root: Node): Program {
  const program: Program = [];
  const emit = (instruction: Instruction): number => {
    if (program.length >= MAX_INSTRUCTIONS) throw new RegexpError("expression too large", "");
    return program.push(instruction) - 1;
  };

  /** Emits the node so that it continues at `next`. Returns where it begins. Works from the end to the start. */
  const compile = (node: Node, next: number): number => {
    switch (node.type) {
      case "empty":
        return next;
      case "char":
        return emit({ op: "char", test: node.test, next });
      case "assert":
        return emit({ op: "assert", assertion: node.assertion, next });
      case "sequence":
        return node.parts.reduceRight((after, part) => compile(part, after), next);
      case "choice":
        return node.parts
          .map((part) => compile(part, next))
          .reduceRight((other, first) => emit({ op: "split", next: first, other }));
      case "group": {
        const end = emit({ op: "save", slot: 2 * node.index + 1, next });
        return emit({ op: "save", slot: 2 * node.index, next: compile(node.part, end) });
      }
      case "repeat":
        return repeat(node, next);
    }
  };

  const repeat = ({ part, min, max, lazy }: Node & { type: "repeat" }, next: number): number => {
    const split = (body: number, out: number): number =>
      emit(lazy ? { op: "split", next: out, other: body } : { op: "split", next: body, other: out });
    let after = next;
    if (max === Infinity) {
      const loop = split(0, next);
      const body = compile(part, loop);
      program[loop] = lazy ? { op: "split", next, other: body } : { op: "split", next: body, other: next };
      after = loop;
    } else {
      for (let count = min; count < max; count++) after = split(compile(part, after), next);
    }
    for (let count = 0; count < min; count++) after = compile(part, after);
    return after;
  };

  const match = emit({ op: "match" });
  const start = compile(root, match);
  // The machine begins at index 0, where `match` is so far.
  if (start !== match) {
    const last = program.push({ op: "match" }) - 1;
    for (const instruction of program) {
      if ("next" in instruction && instruction.next === match) instruction.next = last;
      if ("other" in instruction && instruction.other === match) instruction.other = last;
    }
    program[match] = { op: "split", next: start, other: start };
  }
  return program;
}
