/** The variants inside workerd: `?variant=NAME&times=N&kind=sync` runs one loop; the time is taken outside. */
import { type AsyncFn, type Fn, loop, loopAsync, variants } from "./variants.ts";

const made = new Map<string, { sync: Fn; async: AsyncFn }>();

function wrapped(name: string): { sync: Fn; async: AsyncFn } {
  let known = made.get(name);
  if (!known) {
    const wrap = variants[name]!();
    known = {
      sync: wrap(function add(a: number, b: number) {
        return a + b;
      }),
      async: wrap(async function addLater(a: number, b: number) {
        return a + b;
      }),
    };
    made.set(name, known);
  }
  return known;
}

export default {
  async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const times = Number(searchParams.get("times"));
    try {
      const fns = wrapped(searchParams.get("variant")!);
      const sum =
        searchParams.get("kind") === "async" ? await loopAsync(fns.async, times) : loop(fns.sync, times);
      return new Response(String(sum));
    } catch (error) {
      return new Response(String(error), { status: 500 });
    }
  },
};
