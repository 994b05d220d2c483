/** Keeps the token in this tab's session storage, and the server's reason if it refuses the token. */
import { useEffect, useState } from "preact/hooks";

const KEY = "metrics-collector.token";

interface Session {
  token: string | null;
  /** Why the server refuses to answer. Null if it answers. */
  denied: Denial | null;
}

/** The server's refusal. */
export interface Denial {
  /** 401: the token is missing or unknown. 403: the token is known, but may not read. 503: the server has no tokens. */
  status: number;
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

/** Records that the server refused, so that the page asks for a token. */
export function deny(denied: Denial): void {
  if (session.denied?.message !== denied.message) become({ ...session, denied });
}

/** Calls back after every change. Returns a function that ends this. */
export function subscribe(listener: (session: Session) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function useSession(): Session {
  const [current, setCurrent] = useState(session);
  useEffect(() => {
    setCurrent(session);
    return subscribe(setCurrent);
  }, []);
  return current;
}

function become(next: Session): void {
  session = next;
  for (const listener of listeners) listener(next);
}
