/** Runs work outside of zone.js, which Angular uses in pages and on servers. */

interface Zones {
  Zone?: { root: { run<T>(work: () => T): T } };
}

/** A pending timer of the collector would keep Angular from settling. */
export function runOutsideZones<T>(work: () => T): T {
  const zone = (globalThis as Zones).Zone?.root;
  return zone ? zone.run(work) : work();
}
