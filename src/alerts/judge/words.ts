/** Writes numbers and durations for the sentences of alerts. */

export function percent(share: number): string {
  const value = share * 100;
  return `${value >= 10 || value === 0 ? Math.round(value) : Number(value.toPrecision(2))} %`;
}

export function milliseconds(ms: number): string {
  return ms >= 1000 ? `${Number((ms / 1000).toPrecision(3))} s` : `${Number(ms.toPrecision(3))} ms`;
}

/** In days from 2 days on, in hours from 2 hours on, and so on: 90 minutes, not 1.5 hours. */
export function span(seconds: number): string {
  for (const [unit, name] of [
    [86_400, "day"],
    [3600, "hour"],
    [60, "minute"],
  ] as const) {
    const count = Math.floor(seconds / unit);
    if (count >= 2 || (count === 1 && (seconds % unit === 0 || unit === 60))) {
      return `${count} ${name}${count === 1 ? "" : "s"}`;
    }
  }
  return `${Math.round(seconds)} seconds`;
}

/** As in "in the last 5 minutes" and "in the last minute". */
export function lastSpan(seconds: number): string {
  return `in the last ${span(seconds).replace(/^1 /, "")}`;
}

export function counted(count: number, one: string): string {
  return `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;
}
