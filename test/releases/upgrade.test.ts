/**
 * The release before and this one run over one state. README.md in this folder says how to add a release.
 */
import { cp, glob, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { type Release, releaseOf, Stage, thisRelease } from "./stage.ts";

const RELEASE_BEFORE = "0.1.0";

let builds: string;
let stage: Stage;
let before: Release;
let now: Release;
beforeAll(async () => {
  builds = await mkdtemp(join(tmpdir(), "metrics-collector-builds-"));
  before = await releaseOf(RELEASE_BEFORE, builds);
  now = await thisRelease(builds);
});
afterAll(() => rm(builds, { recursive: true, force: true }));
beforeEach(async () => {
  stage = await Stage.set();
});
afterEach(() => stage.remove());

it("an upgrade and a rollback in the middle of everything lose nothing and count nothing twice", async () => {
  // One call is in the outbox and in the queue, the other waits in the buffer.
  await stage.play({ worker: before, object: before, isConsumed: false }, async (running) => {
    await running.post("a");
    await running.queued();
    await running.post("b");
    expect(await running.calls()).toEqual(["a", "b"]);
  });

  // The Worker is upgraded. Its object still runs the release before.
  await stage.play({ worker: now, object: before }, async (running) => {
    expect(await running.calls()).toEqual(["a", "b"]);
    await running.deliver(stage.waiting);
    await running.post("c");
    expect(await running.calls()).toEqual(["a", "b", "c"]);
  });

  // The other way round, with a message of the new object in the queue.
  await stage.play({ worker: before, object: now, isConsumed: false }, async (running) => {
    expect(await running.calls()).toEqual(["a", "b", "c"]);
    await running.post("d");
    expect(await running.calls()).toEqual(["a", "b", "c", "d"]);
  });

  // All is upgraded. The queue delivers everything again.
  await stage.play({ worker: now, object: now }, async (running) => {
    await running.deliver(stage.waiting);
    await running.post("e");
    expect(await running.calls()).toEqual(["a", "b", "c", "d", "e"]);
    await running.flush();
    expect(await running.stored()).toEqual(["a", "b", "c", "d", "e"]);
    expect(await running.get("/health")).toMatchObject({ status: "ok" });
  });
  await stage.play({ worker: now, object: now, isConsumed: false }, async (running) => {
    await running.post("f");
    await running.queued();
    await running.post("g");
  });

  // Rolled back: flushes of the newer release are in the outbox, in the queue and kept.
  await stage.play({ worker: before, object: before }, async (running) => {
    expect(await running.calls()).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
    await running.deliver(stage.waiting);
    await running.post("h");
    expect(await running.stored()).toEqual(["a", "b", "c", "d", "e", "f", "g", "h"]);
  });

  // And upgraded again.
  await stage.play({ worker: now, object: now }, async (running) => {
    await running.deliver(stage.waiting);
    await running.post("i");
    expect(await running.calls()).toEqual(["a", "b", "c", "d", "e", "f", "g", "h", "i"]);
    expect(await running.stored()).toEqual(["a", "b", "c", "d", "e", "f", "g", "h", "i"]);
    expect(await running.get("/health")).toMatchObject({ status: "ok", deadLetters: 0, lostFlushes: 0 });
  });
});

it("a D1 whose file is replaced by an older one is filled again by itself, exactly", async () => {
  const cast = { worker: now, object: now };
  const post = (...names: string[]) =>
    stage.play(cast, async (running) => {
      for (const name of names) {
        await running.post(name);
        await running.stored();
      }
    });
  await post("a");
  const d1 = await folderOfD1();
  const copy = join(stage.folder, "copy");
  await cp(d1, copy, { recursive: true });
  await post("b", "c");
  await rm(d1, { recursive: true });
  await cp(copy, d1, { recursive: true });

  await stage.play(cast, async (running) => {
    expect(await running.get("/health")).toMatchObject({
      status: "degraded",
      problems: [expect.stringMatching(/^D1 lacks 2 flushes that it had confirmed/)],
      recalledFlushes: 2,
      lostFlushes: 0,
    });
    expect(await running.calls()).toEqual(["a", "b", "c"]);
    expect(await running.stored()).toEqual(["a", "b", "c"]);
    expect(await running.get("/health")).toMatchObject({ status: "ok", recalledFlushes: 0 });
  });
});

async function folderOfD1(): Promise<string> {
  for await (const file of glob("**/*d1*/**/*.sqlite", { cwd: stage.folder })) {
    return join(stage.folder, file, "..");
  }
  throw new Error("D1 has no file.");
}
