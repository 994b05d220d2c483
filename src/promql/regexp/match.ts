/** Runs a program over a text in time linear to the text: no input makes it backtrack. */
import { PromqlError } from "../errors.ts";
import { isWord } from "./classes.ts";
import type { Program } from "./program.ts";
import type { Assertion } from "./syntax.ts";

/** A set of places in the program that can all be reached by the text so far. */
interface State {
  /** Indexes of `char` instructions. */
  places: number[];
  accepts: boolean;
  /** The state after each character seen so far. */
  after: Map<number, State>;
}

/** Beyond this many states the machine forgets them and starts again. Bounds the memory of a hostile pattern. */
const MAX_STATES = 500;

/**
 * So many instructions may all matches of one expression take. A query that needs more is hostile: it would keep the
 * processor busy for seconds.
 */
const MAX_WORK = 20_000_000;

/** Counts the instructions of an expression. */
export class Work {
  private done = 0;

  add(instructions: number): void {
    this.done += instructions;
    if (this.done > MAX_WORK)
      throw new PromqlError("timeout", "regular expression needs more computation than allowed");
  }
}

/**
 * A matcher of whole texts. Without assertions inside of the pattern it is a deterministic machine that is built
 * as texts need it, so that most characters cost one lookup. With assertions it follows all paths at once.
 */
export function makeMatcher(program: Program, work: Work): (text: string) => boolean {
  const hasAssertions = program.some((instruction) => instruction.op === "assert");
  return hasAssertions
    ? (text) => runCaptures(program, 0, text, work) !== undefined
    : makeMachine(program, work);
}

function makeMachine(program: Program, work: Work): (text: string) => boolean {
  let states = new Map<string, State>();

  const stateOf = (starts: readonly number[]): State => {
    const seen = new Set<number>();
    const stack = [...starts];
    while (stack.length > 0) {
      const index = stack.pop()!;
      if (seen.has(index)) continue;
      seen.add(index);
      const instruction = program[index]!;
      if (instruction.op === "split") stack.push(instruction.next, instruction.other);
      else if (instruction.op === "save") stack.push(instruction.next);
    }
    work.add(seen.size);
    const places = [...seen].filter((index) => program[index]!.op === "char").sort((a, b) => a - b);
    const accepts = [...seen].some((index) => program[index]!.op === "match");
    const key = `${places.join(",")}${accepts ? "!" : ""}`;
    const known = states.get(key);
    if (known) return known;
    if (states.size >= MAX_STATES) states = new Map();
    const state: State = { places, accepts, after: new Map() };
    states.set(key, state);
    return state;
  };

  const advance = (state: State, code: number): State => {
    const starts: number[] = [];
    for (const place of state.places) {
      const instruction = program[place]!;
      if (instruction.op === "char" && instruction.test(code)) starts.push(instruction.next);
    }
    const next = stateOf(starts);
    if (state.after.size < MAX_STATES) state.after.set(code, next);
    return next;
  };

  const first = stateOf([0]);
  return (text) => {
    let state = first;
    for (let i = 0; i < text.length; i++) {
      const code = text.codePointAt(i)!;
      if (code > 0xffff) i++;
      state = state.after.get(code) ?? advance(state, code);
      if (state.places.length === 0 && !state.accepts) return false;
    }
    return state.accepts;
  };
}

interface Thread {
  place: number;
  slots: readonly number[];
}

/**
 * Matches the whole text and returns the begin and end of each group, in code points, -1 where a group took no
 * part. Undefined if the text does not match. Pike's machine: all paths at once, in the order of preference.
 */
export function runCaptures(
  program: Program,
  slotCount: number,
  text: string,
  work: Work,
): readonly number[] | undefined {
  const codes = Array.from(text, (char) => char.codePointAt(0)!);
  /** The position, plus one, at which an instruction was reached last. */
  const reached = new Uint32Array(program.length);
  // A stack of its own, since long alternatives would exhaust the call stack.
  const stack: Thread[] = [];

  const follow = (list: Thread[], begin: Thread, at: number): void => {
    stack.push(begin);
    for (let thread = stack.pop(); thread; thread = stack.pop()) {
      const { place, slots } = thread;
      if (reached[place] === at + 1) continue;
      reached[place] = at + 1;
      work.add(1);
      const instruction = program[place]!;
      switch (instruction.op) {
        case "split":
          stack.push({ place: instruction.other, slots }, { place: instruction.next, slots });
          break;
        case "save":
          stack.push({
            place: instruction.next,
            slots: instruction.slot < slotCount ? slots.with(instruction.slot, at) : slots,
          });
          break;
        case "assert":
          if (holds(instruction.assertion, codes, at)) stack.push({ place: instruction.next, slots });
          break;
        case "char":
        case "match":
          list.push(thread);
      }
    }
  };

  let threads: Thread[] = [];
  follow(threads, { place: 0, slots: Array<number>(slotCount).fill(-1) }, 0);
  for (let at = 0; at < codes.length && threads.length > 0; at++) {
    const next: Thread[] = [];
    const code = codes[at]!;
    work.add(threads.length);
    for (const { place, slots } of threads) {
      const instruction = program[place]!;
      if (instruction.op === "char" && instruction.test(code)) {
        follow(next, { place: instruction.next, slots }, at + 1);
      }
    }
    threads = next;
  }
  // Only the end of the text ends a match, since patterns are anchored. The first thread is the preferred one.
  return threads.find(({ place }) => program[place]!.op === "match")?.slots;
}

function holds(assertion: Assertion, codes: readonly number[], at: number): boolean {
  switch (assertion) {
    case "textStart":
      return at === 0;
    case "textEnd":
      return at === codes.length;
    case "lineStart":
      return at === 0 || codes[at - 1] === 10;
    case "lineEnd":
      return at === codes.length || codes[at] === 10;
    case "boundary":
    case "notBoundary": {
      const before = at > 0 && isWord(codes[at - 1]!);
      const after = at < codes.length && isWord(codes[at]!);
      return (before !== after) === (assertion === "boundary");
    }
  }
}
