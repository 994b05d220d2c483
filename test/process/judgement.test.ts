import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type Evidence, judge } from "../../scripts/campaign/judge.ts";
import { Reader, type Row } from "../../scripts/campaign/reader.ts";
import { addCall, type Tallies, totalsOf } from "../../scripts/campaign/tally.ts";

const PAY = "shop pay 1795449600";

/** Five calls in two minutes, counted correctly. */
function calls(): Tallies {
  const tallies: Tallies = {};
  addCall(tallies, PAY, 10, false);
  addCall(tallies, PAY, 20, true);
  addCall(tallies, PAY, 0, false);
  addCall(tallies, "shop pay 1795449660", 10, false);
  addCall(tallies, "shop add 1795449660", 0.25, false);
  return tallies;
}

/** Evidence from a server without faults, with some values replaced. */
function evidence(changes: Partial<Evidence> = {}): Evidence {
  const rollups = changes.rollups ?? calls();
  return {
    called: calls(),
    rollups,
    totals: totalsOf(rollups),
    sink: changes.called ?? calls(),
    dropped: 0,
    reader: { reads: 10, refusals: { 503: 2 }, violations: [] },
    ...changes,
  };
}

/** Evidence in which D1 has one wrong minute of one function. */
function miscounted(change: (pay: Tallies[string]) => void): Evidence {
  const rollups = calls();
  change(rollups[PAY]!);
  return evidence({ rollups });
}

describe("the judgement of a campaign", () => {
  it("finds no difference if each call is counted once", () => {
    expect(judge(evidence())).toEqual({ lost: 0, doubled: 0, differences: [] });
  });

  it("reports a lost call", () => {
    const { lost, doubled, differences } = judge(miscounted((pay) => pay.calls--));
    expect({ lost, doubled }).toEqual({ lost: 1, doubled: 0 });
    expect(differences).toHaveLength(2);
  });

  it("reports a call that is counted twice", () => {
    const { lost, doubled, differences } = judge(miscounted((pay) => pay.calls++));
    expect({ lost, doubled }).toEqual({ lost: 0, doubled: 1 });
    expect(differences[0]).toBe(
      `${PAY}\n` +
        "  is        4 calls, 1 errors, 0 unmeasured, 30000 µs, 0.000001…20 ms, {-638:1 106:1 138:1}\n" +
        "  should be 3 calls, 1 errors, 0 unmeasured, 30000 µs, 0.000001…20 ms, {-638:1 106:1 138:1}",
    );
  });

  it("reports a lost call even if another call is counted twice", () => {
    const rollups = calls();
    rollups[PAY]!.calls--;
    rollups["shop add 1795449660"]!.calls++;
    expect(judge(evidence({ rollups }))).toMatchObject({ lost: 1, doubled: 1 });
  });

  it.each<[string, (pay: Tallies[string]) => void]>([
    ["number of errors", (pay) => pay.errors++],
    ["number of unmeasured calls", (pay) => pay.unmeasured++],
    ["sum of durations", (pay) => pay.sumUs++],
    ["shortest duration", (pay) => (pay.minMs = 9)],
    ["longest duration", (pay) => (pay.maxMs = null)],
    ["histogram", (pay) => (pay.histogram = { 106: 1, 139: 1 })],
  ])("reports a wrong %s", (_, change) => {
    expect(judge(miscounted(change)).differences).toHaveLength(2);
  });

  it("reports calls in the wrong minute, and totals that differ from the sum of the minutes", () => {
    const moved = calls();
    moved["shop pay 1795449720"] = moved[PAY]!;
    delete moved[PAY];
    expect(judge(evidence({ rollups: moved })).differences).toHaveLength(2);
    const totals = totalsOf(calls());
    totals["shop add"]!.calls = 2;
    expect(judge(evidence({ totals })).differences).toHaveLength(1);
  });

  it("reports calls that the store of the sink lacks", () => {
    const sink = calls();
    delete sink[PAY];
    expect(judge(evidence({ sink })).differences).toEqual([
      expect.stringMatching(/^The store of the sink: /),
    ]);
  });

  it("reports a server that answered no read, or answered reads with an error", () => {
    const none = { reads: 0, refusals: { 500: 99 }, violations: [] };
    expect(judge(evidence({ reader: none })).differences).toEqual([
      "No read got an answer that could be checked.",
    ]);
    const refused = { reads: 1, refusals: { 401: 98 }, violations: [] };
    expect(judge(evidence({ reader: refused })).differences).toEqual([
      "The server answered 98 reads with 401.",
    ]);
  });

  it("reports clients that dropped calls or made no calls", () => {
    expect(judge(evidence({ dropped: 3 })).differences).toEqual(["The clients dropped 3 calls."]);
    const nothing = { called: {}, rollups: {}, totals: {} };
    expect(judge(evidence(nothing)).differences).toEqual(["The clients made no calls."]);
  });
});

describe("the reader of a campaign", () => {
  let server: Server;
  afterEach(() => void server.close());

  /** Lets the reader check these answers in turn. A number is an error status. The only client made `calls()`. */
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

  it("accepts counters that rise to the number of calls", async () => {
    const reader = await readAll([[row("pay", 1)], [row("pay", 4, 1), row("add", 1)]], 1);
    expect(reader).toMatchObject({ reads: 2, refusals: {}, unanswered: 0, violations: [] });
  });

  it("reports a counter that goes down and a function that disappears", async () => {
    const reader = await readAll([[row("pay", 4, 1)], [row("pay", 3, 0)], []]);
    expect(reader.violations).toEqual([
      "shop pay: calls fell from 4 to 3",
      "shop pay: errors fell from 1 to 0",
      "shop pay: no longer shown",
    ]);
  });

  it("reports more calls than were made and fewer than were acknowledged", async () => {
    const reader = await readAll([[row("pay", 5)], [row("pay", 5)]], 6);
    expect(reader.violations).toEqual([
      "shop: 6 calls were acknowledged, 5 shown",
      "shop pay: 5 calls shown, 4 made",
      "shop: 6 calls were acknowledged, 5 shown",
      "shop pay: 5 calls shown, 4 made",
    ]);
  });

  it("counts error answers, but not as reads", async () => {
    const reader = await readAll([500, 401, 500]);
    expect(reader).toMatchObject({ reads: 0, refusals: { 401: 1, 500: 2 }, violations: [] });
  });
});
