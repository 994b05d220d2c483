/** Reads the colours of tokens.css for charts, which are painted on a canvas. */
import { useEffect, useState } from "preact/hooks";

export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The system's colour scheme. Canvases must be painted again when it changes. */
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
