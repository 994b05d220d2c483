/** The server's time as a value that changes, for texts such as "3 min ago". */
import { useEffect, useState } from "preact/hooks";
import { serverNow } from "../api/server-clock.ts";

/** Updated every `everyMs` milliseconds, and at once when a hidden page is shown again. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const tell = () => setNow(serverNow());
    tell();
    const timer = setInterval(tell, everyMs);
    document.addEventListener("visibilitychange", tell);
    addEventListener("pageshow", tell);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", tell);
      removeEventListener("pageshow", tell);
    };
  }, [everyMs]);
  return now;
}
