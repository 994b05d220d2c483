/** Runs something that needs an admin token, and keeps what came of it for a status line. */
import { useState } from "preact/hooks";

export interface Action {
  said: string;
  /** `done` is said if it succeeds, the error's message otherwise. */
  run: (act: () => Promise<string | void>, done: string) => Promise<boolean>;
}

export function useAction(onDone: () => void): Action {
  const [said, setSaid] = useState("");
  const run = async (act: () => Promise<string | void>, done: string) => {
    setSaid("");
    try {
      setSaid((await act()) ?? done);
      onDone();
      return true;
    } catch (error) {
      setSaid((error as Error).message);
      return false;
    }
  };
  return { said, run };
}
