/** Reads numbers, durations and quoted strings of the query language, and prints durations. */

const UNITS_MS: readonly (readonly [unit: string, ms: number])[] = [
  ["y", 365 * 86_400_000],
  ["w", 7 * 86_400_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];

/** The longest duration, that of Go: 2^63 ns. */
export const MAX_DURATION_MS = 2 ** 63 / 1e6;

/**
 * A duration in milliseconds, such as `1h30m`. Each unit at most once, the longest first.
 * Undefined if the text is none, or is out of range.
 */
export function parseDuration(text: string): number | undefined {
  const parts = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(text);
  if (!parts || text === "") return undefined;
  const ms = UNITS_MS.reduce((sum, [, unitMs], index) => sum + Number(parts[index + 1] ?? 0) * unitMs, 0);
  return ms < MAX_DURATION_MS ? ms : undefined;
}

/** Years and weeks are printed only if nothing shorter remains, as Prometheus does. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return "0s";
  let rest = durationMs;
  let text = "";
  for (const [unit, unitMs] of UNITS_MS) {
    const whole = unit === "y" || unit === "w";
    if (whole && rest % unitMs !== 0) continue;
    const count = Math.floor(rest / unitMs);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * unitMs;
  }
  return text;
}

/** The value of a number whose syntax the lexer has checked. Undefined if it is too large. */
export function parseNumber(text: string): number | undefined {
  const word = text.toLowerCase().replaceAll("_", "");
  if (word === "inf") return Infinity;
  if (word === "nan") return Number.NaN;
  // As in Go, a leading zero makes an integer octal.
  const value = /^0[0-7]+$/.test(word) ? Number.parseInt(word, 8) : Number(word);
  return Number.isFinite(value) ? value : undefined;
}

const SIMPLE_ESCAPES: Record<string, string | undefined> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
};

/** The text of a quoted string whose syntax the lexer has checked. Escapes are Go's; `\x` and octal give bytes. */
export function unquote(quoted: string): string {
  const body = quoted.slice(1, -1);
  if (quoted.startsWith("`") || !body.includes("\\")) return body;
  // Bytes written one by one can form a character together.
  return body.replaceAll(
    /(?:\\(?:x[\da-fA-F]{2}|[0-7]{3}))+|\\u[\da-fA-F]{4}|\\U[\da-fA-F]{8}|\\./gsu,
    (escape) => {
      const kind = escape[1]!;
      if (kind === "u" || kind === "U") return String.fromCodePoint(Number.parseInt(escape.slice(2), 16));
      if (kind !== "x" && !/[0-7]/.test(kind)) return SIMPLE_ESCAPES[kind] ?? kind;
      const bytes = Array.from(escape.matchAll(/\\x(..)|\\(...)/g), ([, hex, octal]) =>
        hex === undefined ? Number.parseInt(octal!, 8) : Number.parseInt(hex, 16),
      );
      return decodeUtf8(bytes);
    },
  );
}

/**
 * Decodes UTF-8 without a platform's decoder. If the bytes form no text, those above 127 become lone surrogates, so
 * that the text is not well-formed and no name of a label.
 */
function decodeUtf8(bytes: readonly number[]): string {
  try {
    return decodeURIComponent(bytes.map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""));
  } catch {
    return bytes.map((byte) => String.fromCharCode(byte < 128 ? byte : 0xdc00 + byte)).join("");
  }
}
