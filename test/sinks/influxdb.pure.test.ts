import { describe, expect, it } from "vitest";
import { influxdb } from "../../src/sinks/targets/influxdb.ts";
import { gunzip } from "./gunzip.ts";
import { MINUTE, pay, sum } from "./rows.ts";

const first = influxdb.configuration.parse({
  type: "influxdb",
  url: "http://127.0.0.1:8086",
  database: "metrics",
});
const second = influxdb.configuration.parse({
  type: "influxdb",
  url: "https://influxdb.example/base/",
  org: "my org",
  bucket: "metrics",
  token: "secret",
});

describe("an InfluxDB sink", () => {
  it("writes points as lines", async () => {
    const { body, url, headers } = await influxdb.encode([pay, { ...sum, part: "e:7" }], first);
    expect(url).toBe("http://127.0.0.1:8086/write?precision=s&db=metrics");
    expect(headers).toEqual({ "Content-Type": "text/plain", "Content-Encoding": "gzip" });
    expect(await gunzip(body)).toMatchInlineSnapshot(`
      "function_minutes,service=shop,module=app/cart,function=pay\\ 'now'\\ \\\\ später,seconds=60 calls=12i,errors=1i,unmeasured=2i,sum_us=1234567i,min_ms=0.25,max_ms=900.5,histogram="{\\"-64\\":3,\\"212\\":6,\\"314\\":1}",version=1795867300123i 1795867200
      function_minutes,service=shop,function=sum,seconds=3600,part=e:7 calls=5i,errors=0i,unmeasured=5i,sum_us=0i,histogram="{}",version=1795867300123i 1795863600
      "
    `);
  });

  it("writes to InfluxDB 2 with a bucket and a token", async () => {
    const { url, headers } = await influxdb.encode([pay], second);
    expect(url).toBe("https://influxdb.example/base/api/v2/write?precision=s&bucket=metrics&org=my+org");
    expect(headers["Authorization"]).toBe("Token secret");
  });

  it("deletes by a query, or by the API of InfluxDB 2", async () => {
    const deletion = {
      selector: { service: "it's", function: 'a"b' },
      time: { from: MINUTE, to: MINUTE + 3600 },
      below: 7,
    };
    const [query] = await influxdb.encodeDeletion(deletion, first);
    expect(new URL(query!.url).searchParams.get("q")).toBe(
      `DELETE FROM "function_minutes" WHERE "service" = 'it\\'s' AND "function" = 'a"b' AND time >= 1795867200s AND time < 1795870800s`,
    );
    const [call] = await influxdb.encodeDeletion(deletion, second);
    expect(JSON.parse(call!.body as string)).toEqual({
      start: "2026-11-28T12:00:00.000Z",
      stop: "2026-11-28T12:59:59.000Z",
      predicate: `_measurement="function_minutes" AND service="it's" AND function="a\\"b"`,
    });
  });

  it.each([
    [204, "", "done"],
    [400, '{"error":"partial write: field type conflict dropped=1"}', "split"],
    [404, '{"error":"database not found"}', "misconfigured"],
    [401, "", "misconfigured"],
    [413, "", "split"],
    [429, "", "retry"],
    [503, "", "retry"],
  ])("takes %i %s as %s", (status, text, result) => {
    expect(influxdb.judge({ status, text }, [pay]).result).toBe(result);
  });
});
