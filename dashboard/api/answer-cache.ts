/** Keeps the last answers, so that the browser's Back button shows a page at once, without another request. */
import { subscribe, token } from "./session.ts";

export interface Cached {
  data: unknown;
  /** The server's time when the answer arrived. */
  readAt: number;
  tookMs: number;
}

/** A list of 5,000 functions has a few megabytes. */
const KEPT = 8;
const answers = new Map<string, Cached>();

// Another token may see other data.
let owner = token();
subscribe((session) => {
  if (session.token !== owner) answers.clear();
  owner = session.token;
});

export function cached(key: string): Cached | undefined {
  return answers.get(key);
}

export function keep(key: string, answer: Cached): void {
  answers.delete(key);
  answers.set(key, answer);
  for (const oldest of answers.keys()) {
    if (answers.size <= KEPT) break;
    answers.delete(oldest);
  }
}

/** For after a change on the server, such as a deletion. */
export function forgetAnswers(): void {
  answers.clear();
}
