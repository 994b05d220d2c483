/** Resets of a counter that its start times tell, where the values alone cannot. */

/**
 * Whether the counter began anew between two samples. All times in milliseconds; 0 is an unknown start.
 *
 * A start at the previous sample is a new one for delta series. For a cumulative series of which the first start is
 * unknown, exporters write the same. Then the previous start equals its own sample's time, or is unknown.
 */
export function isStartReset(
  previousStart: number,
  previousTime: number,
  start: number,
  time: number,
): boolean {
  if (start === 0 || start >= time || start < previousTime) return false;
  if (start > previousTime) return true;
  return previousStart !== 0 && previousStart < previousTime;
}

/** Whether a sample claims to have begun before the previous one ended, with another start than that. */
export const overlapsStart = (previousStart: number, previousTime: number, start: number): boolean =>
  start !== 0 && start < previousTime && start !== previousStart;
