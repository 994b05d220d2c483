import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type Evidence, judge } from "../../scripts/campaign/judge.ts";
import { Reader, type Row } from "../../scripts/campaign/reader.ts";
import { addCall, type Tallies, totalsOf } from "../../scripts/campaign/tally.ts";

const PAY = "shop pay 1795449600";

/** Five calls in two minutes, as they should be counted. */
function calls(): Tallies {
  const tallies: Tallies = {};
  addCall(tallies, PAY, 10, false);
  addCall(tallies, PAY, 20, true);
  addCall(tallies, PAY, 0, false);
  addCall(tallies, "shop pay 1795449660", 10, false);
  addCall(tallies, "shop add 1795449660", 0.25, false);
  return tallies;
}

/** A server that did all as it should, but for the changes given. */
function evidence(changes: Partial<Evidence> = {}): Evidence {
  const rollups = changes.rollups ?? calls();
  return {
    called: calls(),
    rollups,
    totals: totalsOf(rollups),
    dropped: 0,
    reader: { reads: 10, refusals: { 503: 2 }, violations: [] },
    ...changes,
  };
}

/** What D1 has, with one minute of one function changed. */
function miscounted(change: (pay: Tallies[string]) => void): Evidence {
  const rollups = calls();
  change(rollups[PAY]!);
  return evidence({ rollups });
}

describe("a campaign", () => {
  it("has nothing to say against a server that counted each call once", () => {
    expect(judge(evidence())).toEqual({ lost: 0, doubled: 0, differences: [] });
  });

  it("tells of a call that was lost", () => {
    const { lost, doubled, differences } = judge(miscounted((pay) => pay.calls--));
    expect({ lost, doubled }).toEqual({ lost: 1, doubled: 0 });
    expect(differences).toHaveLength(2);
  });

  it("tells of a call that was counted twice", () => {
    const { lost, doubled, differences } = judge(miscounted((pay) => pay.calls++));
    expect({ lost, doubled }).toEqual({ lost: 0, doubled: 1 });
    expect(differences[0]).toBe(
      `${PAY}\n` +
        "  is        4 calls, 1 errors, 1 unmeasured, 30000 µs, 10…20 ms, {106:1 138:1}\n" +
        "  should be 3 calls, 1 errors, 1 unmeasured, 30000 µs, 10…20 ms, {106:1 138:1}",
    );
  });

  it("tells of one that was lost where another was counted twice", () => {
    const rollups = calls();
    rollups[PAY]!.calls--;
    rollups["shop add 1795449660"]!.calls++;
    expect(judge(evidence({ rollups }))).toMatchObject({ lost: 1, doubled: 1 });
  });

  it.each<[string, (pay: Tallies[string]) => void]>([
    ["an error", (pay) => pay.errors++],
    ["an unmeasured call", (pay) => pay.unmeasured--],
    ["a microsecond", (pay) => pay.sumUs++],
    ["the shortest", (pay) => (pay.minMs = 9)],
    ["the longest", (pay) => (pay.maxMs = null)],
    ["a bucket", (pay) => (pay.histogram = { 106: 1, 139: 1 })],
  ])("tells of %s that is wrong", (_, change) => {
    expect(judge(miscounted(change)).differences).toHaveLength(2);
  });

  it("tells of calls in the wrong minute, and of totals that say other than the minutes", () => {
    const moved = calls();
    moved["shop pay 1795449720"] = moved[PAY]!;
    delete moved[PAY];
    expect(judge(evidence({ rollups: moved })).differences).toHaveLength(2);
    const totals = totalsOf(calls());
    totals["shop add"]!.calls = 2;
    expect(judge(evidence({ totals })).differences).toHaveLength(1);
  });

  it("tells of a server that never answered the reader, or refused it", () => {
    const none = { reads: 0, refusals: { 500: 99 }, violations: [] };
    expect(judge(evidence({ reader: none })).differences).toEqual(["No read was checked."]);
    const refused = { reads: 1, refusals: { 401: 98 }, violations: [] };
    expect(judge(evidence({ reader: refused })).differences).toEqual([
      "The reader was refused 98 times, with 401.",
    ]);
  });

  it("tells of clients that dropped calls, or made none", () => {
    expect(judge(evidence({ dropped: 3 })).differences).toEqual(["The clients dropped 3 calls."]);
    const nothing = { called: {}, rollups: {}, totals: {} };
    expect(judge(evidence(nothing)).differences).toEqual(["Nothing was called."]);
  });
});

describe("the reader of a campaign", () => {
  let server: Server;
  afterEach(() => void server.close());

  /** Reads answers, one after the other, of a server whose only client has made and heard of these calls. */
  async function readAll(answers: (Row[] | number)[], acknowledged = 0): Promise<Reader> {
    const left = [...answers];
    server = createServer((_, response) => {
      const answer = left.shift()!;
      if (typeof answer === "number") response.writeHead(answer).end();
      else response.end(JSON.stringify({ functions: answer }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const report = { acknowledged, pending: 0, dropped: 0, called: calls() };
    const client = { service: "shop", ask: async () => report };
    const reader = new Reader(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, [client]);
    for (const _ of answers) await reader.readOnce();
    return reader;
  }

  const row = (name: string, times: number, errors = 0): Row => ({
    service: "shop",
    function: name,
    calls: times,
    errors,
  });

  it("accepts counters that rise to what was called", async () => {
    const reader = await readAll([[row("pay", 1)], [row("pay", 4, 1), row("add", 1)]], 1);
    expect(reader).toMatchObject({ reads: 2, refusals: {}, unanswered: 0, violations: [] });
  });

  it("tells of a counter that went down, and of a function that vanished", async () => {
    const reader = await readAll([[row("pay", 4, 1)], [row("pay", 3, 0)], []]);
    expect(reader.violations).toEqual([
      "shop pay: calls fell from 4 to 3",
      "shop pay: errors fell from 1 to 0",
      "shop pay: is not shown any more",
    ]);
  });

  it("tells of more than was called, and of less than was acknowledged", async () => {
    const reader = await readAll([[row("pay", 5)], [row("pay", 5)]], 6);
    expect(reader.violations).toEqual([
      "shop: 6 calls were acknowledged, 5 shown",
      "shop pay: 5 calls shown, 4 made",
      "shop: 6 calls were acknowledged, 5 shown",
      "shop pay: 5 calls shown, 4 made",
    ]);
  });

  it("counts what it was refused, and does not take it for a read", async () => {
    const reader = await readAll([500, 401, 500]);
    expect(reader).toMatchObject({ reads: 0, refusals: { 401: 1, 500: 2 }, violations: [] });
  });
});
