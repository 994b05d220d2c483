/** D1 that tells what each transaction cost. */

/** `seen` gets the results of every `batch`. */
export function watchedDb(real: D1Database, seen: (results: readonly D1Result[]) => void): D1Database {
  return new Proxy(real, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (property !== "batch") return typeof value === "function" ? (value.bind(target) as unknown) : value;
      return async (statements: D1PreparedStatement[]) => {
        const results = await target.batch(statements);
        seen(results);
        return results;
      };
    },
  });
}
