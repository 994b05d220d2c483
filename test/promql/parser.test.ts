import { describe, expect, it } from "vitest";
import type { Expression } from "../../src/promql/ast.ts";
import { query } from "../../src/promql/engine.ts";
import { ParseError } from "../../src/promql/errors.ts";
import { format } from "../../src/promql/format.ts";
import { MemorySource } from "../../src/promql/memory-source.ts";
import { parse, parseSelector } from "../../src/promql/parser.ts";

/** The message for a query that must not parse. */
function messageOf(text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof ParseError) return error.message;
    throw error;
  }
  throw new Error(`This parsed, but must not: ${text}`);
}

/** The query with parentheses around every operation, to show what binds to what. */
function bracket(expression: Expression): string {
  if (expression.kind === "binary") {
    return `(${bracket(expression.left)} ${expression.operator} ${bracket(expression.right)})`;
  }
  if (expression.kind === "unary") return `(${expression.operator}${bracket(expression.inner)})`;
  return format(expression);
}

describe("operators", () => {
  it.each([
    ["a + b * c", "(a + (b * c))"],
    ["a * b + c", "((a * b) + c)"],
    ["a ^ b ^ c", "(a ^ (b ^ c))"],
    ["-a ^ b", "(-(a ^ b))"],
    ["-a * b", "((-a) * b)"],
    ["a - b - c", "((a - b) - c)"],
    ["a atan2 b % c", "((a atan2 b) % c)"],
    ["a or b and c", "(a or (b and c))"],
    ["a unless b and c", "((a unless b) and c)"],
    ["a and b > c + d", "(a and (b > (c + d)))"],
    ["a == b > c", "((a == b) > c)"],
    ["sum(a) by (x) / count by (x) (b)", "(sum by (x) (a) / count by (x) (b))"],
  ])("bind in %s as in %s", (text, expected) => {
    expect(bracket(parse(text))).toBe(expected);
  });
});

describe("errors", () => {
  it.each([
    ["", "1:1: parse error: no expression found in input"],
    ["# only a comment", "1:1: parse error: no expression found in input"],
    ["1 +", "1:4: parse error: unexpected end of input"],
    ["foo{", "1:5: parse error: unexpected end of input inside braces"],
    ["sum(foo", "1:8: parse error: unclosed left parenthesis"],
    ["foo[5m", "1:7: parse error: unclosed left bracket"],
    ["foo)", "1:5: parse error: unexpected right parenthesis ')'"],
    ["foo bar", '1:5: parse error: unexpected identifier "bar"'],
    ["foo\n  + bool", "2:9: parse error: unexpected end of input"],
    ["foo{a}", '1:6: parse error: unexpected "}" in label matching, expected label matching operator'],
    ["foo{a=b}", '1:7: parse error: unexpected identifier "b" in label matching, expected string'],
    [
      'foo{a="b" c="d"}',
      '1:11: parse error: unexpected identifier "c" in label matching, expected "," or "}"',
    ],
    ['foo{a=~"("}', "1:5: parse error: error parsing regexp: missing closing ): `(`"],
    ['{__name__=~".*"}', "1:1: parse error: vector selector must contain at least one non-empty matcher"],
    ['foo{__name__="bar"}', '1:1: parse error: metric name must not be set twice: "foo" or "bar"'],
    ["foo[0s]", "1:5: parse error: duration must be greater than 0"],
    ["foo[5m1h]", '1:5: parse error: not a valid duration string: "5m1h"'],
    ["foo offset 5m offset 1m", "1:1: parse error: offset may not be set multiple times"],
    [
      "foo offset",
      "1:11: parse error: unexpected end of input in offset, expected number, duration, step(), or range()",
    ],
    ["foo @", "1:6: parse error: unexpected end of input in @, expected timestamp"],
    ["(foo + bar)[5m]", "1:12: parse error: ranges only allowed for vector selectors"],
    ["foo offset 1m[5m]", "1:14: parse error: no offset modifiers allowed before range"],
    [
      "1 offset 1m",
      "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
    ],
    [
      "rate(foo)",
      '1:6: parse error: expected type range vector in call to function "rate", got instant vector',
    ],
    ["rate(foo[5m], 1)", '1:1: parse error: expected 1 argument(s) in call to "rate", got 2'],
    ["label_join(foo)", '1:1: parse error: expected at least 3 argument(s) in call to "label_join", got 1'],
    ["round(foo, 1, 2)", '1:1: parse error: expected at most 2 argument(s) in call to "round", got 3'],
    ["rat(foo[5m])", '1:1: parse error: unknown function with name "rat"'],
    ["sum(foo,)", "1:8: parse error: trailing commas not allowed in function call args"],
    [
      "topk(foo)",
      "1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1",
    ],
    ["sum by foo (bar)", '1:8: parse error: unexpected identifier "foo" in grouping opts, expected "("'],
    ["1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"],
    ["foo + bool bar", "1:5: parse error: bool modifier can only be used on comparison operators"],
    ["foo and 1", '1:1: parse error: set operator "and" not allowed in binary scalar expression'],
    ["foo and on(a) group_left bar", '1:1: parse error: no grouping allowed for "and" operation'],
    [
      "foo * on(a) group_left(a) bar",
      '1:5: parse error: label "a" must not occur in ON and GROUP clause at once',
    ],
    ["1 + on(a) foo", "1:1: parse error: vector matching only allowed between instant vectors"],
    ["foo[5m] + 1", "1:1: parse error: binary expression must contain only scalar and instant vector types"],
    [
      "-foo[5m]",
      '1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "range vector"',
    ],
    ["1[5m:]", "1:1: parse error: subquery is only allowed on instant vector, got scalar instead"],
    ["'\\q'", "1:1: parse error: unknown escape sequence U+0071 'q'"],
    ["1.5.2", '1:1: parse error: bad number or duration syntax: "1.5."'],
    ["foo & bar", "1:5: parse error: unexpected character: '&'"],
  ])("of %j name the place and the reason", (text, message) => {
    expect(messageOf(text)).toBe(message);
  });

  it.each([
    "limitk(1, foo)",
    "info(foo)",
    "sort_by_label(foo, 'a')",
    "rate(foo[5m] anchored)",
    "rate(foo[5m] smoothed)",
    "foo[5m + 1m]",
    "foo offset (1m)",
    "foo[step()]",
    "foo + fill(0) bar",
    "max_of(1, 2)",
  ])("say that %s is experimental", (text) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ experimental: true, kind: "bad_data" }));
  });
});

describe("literals", () => {
  it.each([
    ["0x1F", 31],
    ["1_000", 1000],
    ["017", 15],
    ["1e3", 1000],
    [".5", 0.5],
    ["-Inf", -Infinity],
    ["nAN", Number.NaN],
    ["1h30m", 5400],
    ["5ms", 0.005],
    ["1w2d", 777_600],
  ])("read %s as the number %d", (text, value) => {
    expect(parse(text)).toMatchObject({ kind: "number", value });
  });

  it.each([
    [String.raw`"a\n\x41\u00e4\101\\"`, "a\nAäA\\"],
    [String.raw`'it\'s'`, "it's"],
    ["`raw\\n`", "raw\\n"],
    [String.raw`"\xc3\xa4"`, "ä"],
  ])("read the string %s", (text, value) => {
    expect(parse(text)).toMatchObject({ kind: "string", value: expect.stringContaining(value) });
  });

  it("take a number for seconds where a duration is expected", () => {
    expect(parse("foo[300]")).toMatchObject({ rangeMs: 300_000 });
    expect(parse("foo[1.5]")).toMatchObject({ rangeMs: 1500 });
    expect(parse("foo offset -0.5")).toMatchObject({ offsetMs: -500 });
  });
});

describe("selectors", () => {
  it("accept quoted names and keywords as names", () => {
    expect(parse('{"http.requests", "le.x"="1"}')).toMatchObject({
      name: "",
      matchers: [
        { name: "__name__", operator: "=", value: "http.requests" },
        { name: "le.x", operator: "=", value: "1" },
      ],
    });
    for (const name of ["sum", "by", "offset", "start", "and", "avg", "fill"])
      expect(parse(name)).toMatchObject({ name });
  });

  it("take modifiers in either order", () => {
    const expected = { kind: "range", rangeMs: 300_000, selector: { offsetMs: 60_000, at: 1_000_500 } };
    expect(parse("foo[5m] @ 1000.5 offset 1m")).toMatchObject(expected);
    expect(parse("foo[5m] offset 1m @ 1000.5")).toMatchObject(expected);
    expect(parse("foo @ start()")).toMatchObject({ at: "start" });
    expect(parse("sum(foo)[1h:5m] @ end()")).toMatchObject({ kind: "subquery", at: "end", stepMs: 300_000 });
  });

  it("are the only thing that a match parameter may hold", () => {
    expect(parseSelector('up{job="a"}').name).toBe("up");
    expect(() => parseSelector("sum(up)")).toThrow("expected a vector selector");
    expect(() => parseSelector("up offset 1m")).toThrow("expected a vector selector");
  });

  it("list the values of an expression that spells them out", () => {
    const literalsOf = (text: string): unknown => parseSelector(`foo{a=~"${text}"}`).matchers[0]!.literals;
    expect(literalsOf("a|b|c")).toEqual(["a", "b", "c"]);
    expect(literalsOf("x(a|b)")).toEqual(["xa", "xb"]);
    expect(literalsOf("a.*")).toBeUndefined();
  });
});

describe("limits", () => {
  it("refuse long and deep queries, at any depth without exhausting the stack", () => {
    expect(() => parse("a + b", { maxLength: 4 })).toThrow("at most 4 are allowed");
    expect(() => parse(`${"(".repeat(50)}a${")".repeat(50)}`, { maxDepth: 20 })).toThrow(
      "nest deeper than 20",
    );
    expect(() => parse("-".repeat(30_000) + "a")).toThrow("nest deeper than 100");
    expect(() => parse("a^".repeat(10_000) + "a")).toThrow("nest deeper than 100");
    expect(() => parse("sum(".repeat(5000) + "a" + ")".repeat(5000))).toThrow("nest deeper than 100");
  });

  it("let a chain of 500 operators pass, and refuse more", async () => {
    const chain = (count: number): string => Array.from({ length: count + 1 }, () => "a").join(" + ");
    expect(format(parse(chain(500)))).toBe(chain(500));
    expect((await query(chain(500), 0, new MemorySource())).type).toBe("vector");
    expect(() => parse(chain(501))).toThrow("more than 500 operators");
  });
});
