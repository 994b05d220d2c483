/** The token that this tab reads with, and what the server said where it does not do. It ends with the tab. */
import { useEffect, useState } from "preact/hooks";

const KEY = "metrics-collector.token";

interface Session {
  token: string | null;
  /** Why nothing can be read; null while all is well. */
  denied: Denial | null;
}

/** What the server said. */
export interface Denial {
  code: string;
  message: string;
}

let session: Session = { token: sessionStorage.getItem(KEY), denied: null };
const listeners = new Set<(session: Session) => void>();

export function token(): string | null {
  return session.token;
}

export function setToken(value: string | null): void {
  if (value === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, value);
  become({ token: value, denied: null });
}

/** The server wants another token, or one at all. */
export function deny(denied: Denial): void {
  if (session.denied?.message !== denied.message) become({ ...session, denied });
}

export function useSession(): Session {
  const [current, setCurrent] = useState(session);
  useEffect(() => {
    listeners.add(setCurrent);
    setCurrent(session);
    return () => void listeners.delete(setCurrent);
  }, []);
  return current;
}

function become(next: Session): void {
  session = next;
  for (const listener of listeners) listener(next);
}
