import { describe, expect, it } from "vitest";
import { clickhouse } from "../../src/sinks/targets/clickhouse.ts";
import { gunzip } from "./gunzip.ts";
import { MINUTE, pay, sum } from "./rows.ts";

const configuration = clickhouse.configuration.parse({
  type: "clickhouse",
  url: "https://clickhouse.example:8443/",
  database: "metrics",
  user: "writer",
  password: "secret",
});

describe("a ClickHouse sink", () => {
  it("inserts rows as gzipped JSON lines", async () => {
    const { body, ...request } = await clickhouse.encode([pay, sum], configuration);
    expect(request).toEqual({
      url: "https://clickhouse.example:8443/?database=metrics&query=INSERT+INTO+minutes+FORMAT+JSONEachRow",
      headers: {
        "Content-Type": "text/plain",
        "Content-Encoding": "gzip",
        "X-ClickHouse-User": "writer",
        "X-ClickHouse-Key": "secret",
      },
    });
    expect(await gunzip(body)).toMatchInlineSnapshot(`
      "{"service":"shop","module":"app/cart","start":1795867200,"seconds":60,"part":"","version":1795867300123,"calls":12,"errors":1,"unmeasured":2,"function":"pay 'now' \\\\ später","sum_us":1234567,"min_ms":0.25,"max_ms":900.5,"buckets":[212,314,-64],"counts":[6,1,3]}
      {"service":"shop","module":"","start":1795863600,"seconds":3600,"part":"","version":1795867300123,"calls":5,"errors":0,"unmeasured":5,"function":"sum","sum_us":0,"min_ms":null,"max_ms":null,"buckets":[],"counts":[]}
      "
    `);
  });

  it("deletes what is older than the deletion, with names quoted", async () => {
    const [ofFunction] = await clickhouse.encodeDeletion(
      { selector: { service: "it's", module: undefined, function: "a\\b" }, below: 7 },
      configuration,
    );
    expect(ofFunction!.body).toBe(
      "ALTER TABLE minutes DELETE WHERE version < 7 AND service = 'it\\'s' AND function = 'a\\\\b'",
    );
    const [ofTime] = await clickhouse.encodeDeletion(
      { time: { from: MINUTE, to: MINUTE + 60 }, below: 7 },
      configuration,
    );
    expect(ofTime!.body).toBe(
      "ALTER TABLE minutes DELETE WHERE version < 7 AND start >= toDateTime(1795867200) AND start < toDateTime(1795867260)",
    );
  });

  it.each([
    [200, "", "done"],
    [400, "Code: 72, e.displayText() = DB::Exception: Cannot parse", "split"],
    [500, "Code: 27. DB::Exception: Cannot parse input", "split"],
    [404, "Code: 60. DB::Exception: Table default.minutes does not exist.", "misconfigured"],
    [403, "Code: 516. DB::Exception: Authentication failed", "misconfigured"],
    [500, "Code: 252. DB::Exception: Too many parts", "retry"],
    [500, "Code: 241. DB::Exception: Memory limit", "retry"],
    [503, "<html>busy</html>", "retry"],
    [429, "", "retry"],
    [302, "", "misconfigured"],
    [401, "", "misconfigured"],
  ])("takes %i %s as %s", (status, text, result) => {
    expect(clickhouse.judge({ status, text }, [pay]).result).toBe(result);
  });

  it("takes no name of a table that could be a statement", () => {
    const named = (table: string) => clickhouse.configuration.safeParse({ ...configuration, table }).success;
    expect(["minutes", "m_1", "a b", "a;b", "`a`", "1a", ""].map(named)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});
