/** Copies what `reflect-metadata` keeps about a function, such as NestJS's guards and routes, to its wrapper. */

interface Metadata {
  getOwnMetadataKeys?: (target: object) => unknown[];
  getOwnMetadata: (key: unknown, target: object) => unknown;
  defineMetadata: (key: unknown, value: unknown, target: object) => void;
}

/** Returns the wrapper. It may be the function itself. */
export function copyMetadata(fn: unknown, wrapper: unknown): unknown {
  if (wrapper === fn) return wrapper;
  const { getOwnMetadataKeys, getOwnMetadata, defineMetadata } = Reflect as unknown as Metadata;
  for (const key of getOwnMetadataKeys?.(fn as object) ?? []) {
    defineMetadata(key, getOwnMetadata(key, fn as object), wrapper as object);
  }
  return wrapper;
}
