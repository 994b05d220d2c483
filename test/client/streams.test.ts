/** Streams and responses are measured to their head or to their end. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { metricsCollector, collect, report, about, boom } from "./shapes.ts";

describe("a stream", () => {
  const chunks = (...texts: string[]) =>
    new ReadableStream<Uint8Array>({
      async pull(controller) {
        await sleep(10);
        const text = texts.shift();
        if (text === undefined) controller.close();
        else if (text === "boom") controller.error(boom);
        else controller.enqueue(new TextEncoder().encode(text));
      },
    });

  it("is measured to the head by default, and is the very one", async () => {
    const stream = chunks("a");
    const response = new Response(chunks("a"));
    const give = metricsCollector({ name: "give" }, <T>(value: T) => value);
    const load = metricsCollector({ name: "load" }, async <T>(value: T) => value);
    expect(give(stream)).toBe(stream);
    expect(await load(response)).toBe(response);
    expect(metricsCollector.stats().seen).toBe(2);
  });

  it("is measured to the end where that is asked for", async () => {
    await using collector = collect({ stream: "end" });
    const read = collector({ name: "read" }, () => chunks("a", "b"));
    const load = collector({ name: "load" }, async () => new Response(chunks("c", "d"), { status: 201 }));
    const stream = read();
    const response = await load();
    expect(collector.stats().seen).toBe(0);
    expect(await new Response(stream).text()).toBe("ab");
    expect([response.status, await response.text()]).toEqual([201, "cd"]);
    expect(await report(collector)).toEqual({ read: about(1, 0, 30), load: about(1, 0, 30) });
  });

  it("that fails is an error, that is given up is none, and isError judges what was given", async () => {
    await using collector = collect({ stream: "end", isError: (result: Response) => result.status >= 500 });
    const load = collector(
      { name: "load" },
      (status: number, ...texts: string[]) => new Response(chunks(...texts), { status }),
    );
    await expect(load(200, "a", "boom").text()).rejects.toBe(boom);
    await load(200, "a", "b").body!.cancel("enough");
    expect(await load(500, "sorry").text()).toBe("sorry");
    expect((await report(collector))["load"]).toMatchObject({ calls: 3, errors: 2 });
  });

  it("of a response that nobody else may make stays readable, and is measured to its head", async () => {
    await using collector = collect({ stream: "end" });
    // Some servers answer 999, and a real fetch gives it.
    const odd = new Response("go away");
    Object.defineProperty(odd, "status", { value: 999 });
    const load = collector({ name: "load" }, async () => odd);
    expect(await (await load()).text()).toBe("go away");
    expect(collector.stats().seen).toBe(1);
  });

  it("without a body, or read by somebody else, is measured to its head", async () => {
    await using collector = collect({ stream: "end" });
    const locked = chunks("a");
    locked.getReader();
    const give = collector({ name: "give" }, <T>(value: T) => value);
    const empty = new Response(null, { status: 204 });
    expect([give(empty), give(locked), give(7), give(undefined)]).toEqual([empty, locked, 7, undefined]);
    expect(collector.stats().seen).toBe(4);
  });
});
