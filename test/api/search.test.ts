import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SearchResults } from "../../src/api/search.ts";
import { dbWith, envWith } from "../faults.ts";
import {
  acknowledged,
  carryToD1,
  deliver,
  get,
  getJson,
  letTimePass,
  ringAlarm,
  sentMessages,
} from "../worker.ts";

async function found(q: string): Promise<string[]> {
  const { results } = await getJson<SearchResults>(`/search?q=${encodeURIComponent(q)}`);
  return results.map((row) =>
    row.kind === "function" ? row.function : `${row.function}: ${row.failure.name}`,
  );
}

const call = (name: string, extra: object = {}) => ({ function: name, durationMs: 1, ...extra });
const failing = (name: string, error: string, message: string) =>
  call(name, { error: { name: error, message } });

describe("GET /search finds", () => {
  it.each(["stored", "still buffered"])(
    "functions and failures by parts of their names while they are %s",
    async (where) => {
      await acknowledged([
        call("chargeCard", { module: "pay/stripe" }),
        { ...failing("chargeCard", "CardError", "Your card was declined."), module: "pay/stripe" },
        call("discard"),
        call("refund"),
        failing("refund", "TimeoutError", "no answer after 30 s"),
        failing("É", "ÉCHEC", "ÀÉ"),
      ]);
      if (where === "stored") await carryToD1();
      expect(await found("chargeCard")).toEqual(["chargeCard"]);
      expect(await found("chargeC")).toEqual(["chargeCard"]);
      expect(await found("card")).toEqual(["chargeCard: CardError", "chargeCard", "discard"]);
      expect(await found("CARD declined")).toEqual(["chargeCard: CardError"]);
      expect(await found("stripe")).toEqual(["chargeCard"]);
      expect(await found("refund time")).toEqual(["refund: TimeoutError"]);
      expect(await found("fu")).toEqual(["refund"]);
      expect(await found("ar ch")).toEqual(["chargeCard", "chargeCard: CardError"]);
      expect(await found("30 answer")).toEqual(["refund: TimeoutError"]);
      expect(await found("échec")).toEqual(["É: ÉCHEC"]);
      expect(await found("é")).toEqual(["É", "É: ÉCHEC"]);
      expect(await found("àé sh")).toEqual(["É: ÉCHEC"]);
      expect(await found("nothing")).toEqual([]);
      expect(await found("shop card")).toEqual(["chargeCard", "chargeCard: CardError", "discard"]);
    },
  );

  it("a name in any Unicode form, and combines stored and buffered calls", async () => {
    await acknowledged([call("Élan"), failing("Élan", "E", "declined")]);
    await carryToD1();
    await acknowledged([failing("Élan", "E", "declined")]);
    const { results } = await getJson<SearchResults>(`/search?q=${encodeURIComponent("e\u0301LAN")}`);
    expect(results).toMatchObject([
      {
        kind: "function",
        service: "shop",
        function: "Élan",
        calls: 3,
        errors: 2,
        snippet: [
          { text: "shop ", match: false },
          { text: "Élan", match: true },
        ],
      },
    ]);
    expect((await getJson<SearchResults>("/search?q=declin")).results).toMatchObject([
      {
        kind: "failure",
        failure: { name: "E", message: "declined" },
        calls: 2,
        snippet: [
          { text: "E: ", match: false },
          { text: "declin", match: true },
          { text: "ed", match: false },
        ],
      },
    ]);
  });

  it.each(["stored", "still buffered"])("a name in another spelling of its parts, %s", async (where) => {
    await acknowledged([
      call("chargeCard"),
      call("refund_card"),
      call("Cart.addItem"),
      call("HTTPServer"),
      call("cardTest"),
      call("chargeback"),
      failing("pay", "CardError", "charge_card failed"),
    ]);
    if (where === "stored") await carryToD1();
    expect(await found("charge_card")).toEqual(["chargeCard", "pay: CardError"]);
    expect(await found("charge-card")).toEqual(["chargeCard", "pay: CardError"]);
    expect(await found("refundCard")).toEqual(["refund_card"]);
    expect(await found("cart_add_item")).toEqual(["Cart.addItem"]);
    expect(await found("cart/add")).toEqual(["Cart.addItem"]);
    expect(await found("http_server")).toEqual(["HTTPServer"]);
    expect(await found("add_it")).toEqual(["Cart.addItem"]);
    expect(await found("charge*")).toEqual(["chargeCard", "chargeback", "pay: CardError"]);
    expect(await found("cha*card")).toEqual(["chargeCard", "pay: CardError"]);
    expect(await found("card*charge")).toEqual(["pay: CardError"]);
    expect(await found("card_charge")).toEqual([]);
    expect(await found("*back")).toEqual(["chargeback"]);
    expect(await found("r*d")).toContain("refund_card");
    const { functions } = await getJson<{ functions: { function: string }[] }>("/metrics?q=charge_card");
    expect(functions.map((row) => row.function)).toEqual(["chargeCard"]);
  });

  it.each(["stored", "still buffered"])(
    "a name in another letter case, in one way only, %s",
    async (where) => {
      const names = ["İzmir", "ΟΔΟΣ", "ſtart", "ГОРОД", "GROẞ", "ÉÀ", "Ω", "Ꭰꭰ", "ԱԲ"];
      await acknowledged(names.map((name) => call(name)));
      if (where === "stored") await carryToD1();
      const cases = {
        İzmir: ["İzmir"],
        İZMIR: ["İzmir"],
        "I\u0307zmir": ["İzmir"],
        zmir: ["İzmir"],
        izmir: [],
        οδος: ["ΟΔΟΣ"],
        οδοσ: ["ΟΔΟΣ"],
        START: ["ſtart"],
        город: ["ГОРОД"],
        ГоРо: ["ГОРОД"],
        groß: ["GROẞ"],
        éÀ: ["ÉÀ"],
        "e\u0301a\u0300": ["ÉÀ"],
        à: ["ÉÀ"],
        ω: ["Ω"],
        աբ: ["ԱԲ"],
        // Letters that SQLite does not fold are not folded in the buffer either.
        Ꭰ: ["Ꭰꭰ"],
        ꭰꭰ: [],
      };
      const results: Record<string, string[]> = {};
      for (const q of Object.keys(cases)) results[q] = await found(q);
      expect(results).toEqual(cases);
    },
  );

  it.each(["stored", "still buffered"])("nothing, but says what may be meant, %s", async (where) => {
    await acknowledged(["chargeCard", "refund", "Cart.addItem", "login"].map((name) => call(name)));
    if (where === "stored") await carryToD1();
    const meant = async (q: string) => {
      const answer = await getJson<SearchResults>(`/search?q=${encodeURIComponent(q)}`);
      expect([q, answer.results]).toEqual([q, []]);
      return answer.didYouMean;
    };
    expect(await meant("chrgeCard")).toEqual(["chargeCard"]);
    expect(await meant("charge_crad")).toEqual(["chargeCard"]);
    expect(await meant("refundd")).toEqual(["refund"]);
    expect(await meant("addItems")).toEqual(["Cart.addItem"]);
    expect(await meant("nothing")).toEqual([]);
    expect(await meant("xyz")).toEqual([]);
    expect((await getJson<SearchResults>("/search?q=refund")).didYouMean).toEqual([]);
  });

  it("a word in a long message, and shows the text around it", async () => {
    await acknowledged([failing("a", "E", `${"x".repeat(200)} needle ${"y".repeat(200)}`)]);
    const [result] = (await getJson<SearchResults>("/search?q=needle")).results;
    expect(result!.snippet.map(({ text }) => text.length)).toEqual([1, 40, 6, 114, 1]);
    expect(result!.snippet[2]).toEqual({ text: "needle", match: true });
  });
});

describe("a search text", () => {
  it("is data, not syntax", async () => {
    const names = [
      'a"b"c',
      "x*y*z",
      "-flag-",
      "NEAR(a b)",
      "col:name",
      "^start",
      "🙂🙂🙂 ok",
      "%_%_%",
      "a' OR 1=1",
      "()[]{}",
    ];
    await acknowledged(names.map((name) => call(name)));
    await carryToD1();
    for (const name of names) expect(await found(name)).toContain(name);
    expect(await found("***")).toEqual([]);
    expect(await found("🙂")).toEqual(["🙂🙂🙂 ok"]);
    expect(await found("*")).toEqual(["x*y*z"]);
    expect(await found("%")).toEqual(["%_%_%"]);
    expect(await found('"')).toEqual(['a"b"c']);
    expect(await found("AND")).toEqual([]);
  });

  it("never causes an error", async () => {
    await acknowledged([failing("chargeCard", "CardError", "declined")]);
    await carryToD1();
    const typed = fc.oneof(
      fc.string({ unit: "binary", minLength: 1, maxLength: 60 }),
      fc.string({
        unit: fc.constantFrom(..."\"'*-^:(){}+ \0\ud800é🙂aANDORNOT".split(""), "NEAR", "OR "),
        minLength: 1,
      }),
      fc
        .array(fc.constantFrom("a", "bc", "é"), { minLength: 30, maxLength: 60 })
        .map((words) => words.join(" ")),
    );
    await fc.assert(
      fc.asyncProperty(typed, async (q) => {
        const text = q.toWellFormed();
        const response = await get(`/search?q=${encodeURIComponent(text)}`);
        expect([text, response.status]).toEqual([text, text.trim() === "" ? 400 : 200]);
        await response.text();
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    ["/search", "The parameter q is missing. It must be 1 to 200 characters."],
    ["/search?q=", 'The parameter q is "". It must be 1 to 200 characters.'],
    [`/search?q=${"x".repeat(201)}`, "It must be 1 to 200 characters."],
    ["/search?q=a&limit=101", "It must be a whole number from 1 to 100."],
  ])("is refused where it is no question: %s", async (path, message) => {
    const { error } = await getJson<{ error: { message: string } }>(path, 400);
    expect(error.message).toContain(message);
  });
});

it("writes no row to the search index while only known functions and failures are called", async () => {
  const writtenBy = async (samples: object[]) => {
    let rows = 0;
    const db = dbWith(async (real, statements) => {
      const results = await real(statements);
      rows += results.reduce((sum, { meta }) => sum + meta.rows_written, 0);
      return results;
    });
    await acknowledged(samples);
    await letTimePass();
    await ringAlarm();
    await deliver(await sentMessages(), { env: envWith({ DB: db }) });
    return rows;
  };
  const samples = [{ ...failing("a", "E", "m"), at: Date.now() }];
  expect(await writtenBy(samples)).toBeGreaterThan(4);
  // The function, its minute, its failure, and the ledger.
  expect(await writtenBy(samples)).toBe(4);
});
