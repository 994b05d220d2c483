/** The colours of tokens.css, for what is painted rather than styled. */
import { useEffect, useState } from "preact/hooks";

export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Whether the system is dark now: what is painted must be painted anew when that changes. */
export function useScheme(): "dark" | "light" {
  const [isDark, setDark] = useState(() => dark().matches);
  useEffect(() => {
    const query = dark();
    const read = () => setDark(query.matches);
    query.addEventListener("change", read);
    return () => query.removeEventListener("change", read);
  }, []);
  return isDark ? "dark" : "light";
}

function dark(): MediaQueryList {
  return matchMedia("(prefers-color-scheme: dark)");
}
