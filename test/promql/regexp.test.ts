import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Regexp } from "../../src/promql/regexp/regexp.ts";

describe("a regular expression", () => {
  it.each([
    ["a|b", "b", true],
    ["a|b", "ab", false],
    ["", "", true],
    [".*", "two\nlines", true],
    ["(?-s).*", "two\nlines", false],
    ["(?i)fOO", "Foo", true],
    ["a(?i:b)c", "aBc", true],
    ["a(?i:b)c", "ABc", false],
    ["(?P<name>a+)b", "aab", true],
    ["(?<name>a+)b", "aab", true],
    [String.raw`\pL+\p{Greek}`, "äα", true],
    [String.raw`\PL`, "1", true],
    [String.raw`[\d\-x]+`, "1-x", true],
    ["[[:alpha:]_]+", "a_B", true],
    ["[^[:^digit:]]+", "12", true],
    [String.raw`\Qa.b\E*`, "a.b", true],
    [String.raw`\x41\x{1F600}\101`, "A😀A", true],
    ["a{2,3}", "aaa", true],
    ["a{2,3}", "aaaa", false],
    ["a{,3}", "a{,3}", true],
    [String.raw`\bfoo\b.*`, "foo bar", true],
    [String.raw`\bfoo\b.*`, "foobar", false],
    [String.raw`\Aa\z`, "a", true],
    ["(?m)a$\n^b", "a\nb", true],
    ["a$.b", "a\nb", false],
    ["[]a]+", "]a", true],
    ["function_calls(_count)?(_total)?", "function_calls_total", true],
    ["function_calls(_count)?(_total)?", "function_calls_bucket", false],
  ])("%s matches %j: %s", (pattern, text, expected) => {
    expect(new Regexp(pattern).matches(text)).toBe(expected);
  });

  it.each([
    ["(", "missing closing ): `(`"],
    [")", "unexpected ): `)`"],
    ["[a", "missing closing ]: `[a`"],
    ["*a", "missing argument to repetition operator: `*`"],
    ["a**", "invalid nested repetition operator: `**`"],
    [String.raw`(a)\1`, "invalid escape sequence: `\\1`"],
    ["a(?=b)", "invalid or unsupported Perl syntax: `(?=`"],
    ["(?<!a)b", "invalid or unsupported Perl syntax: `(?<`"],
    ["a{1001}", "invalid repeat count: `{1001}`"],
    ["(a{100}){11}", "invalid repeat count"],
    ["[z-a]", "invalid character class range: `z-a`"],
    [String.raw`\p{Nonsense}`, "invalid character class range"],
    ["a\\", "trailing backslash at end of expression"],
    ["((((((((((.{10}){10}){10}", "missing closing )"],
    ["(.{30}|x){1000}", "invalid repeat count"],
  ])("%s is refused", (pattern, message) => {
    expect(() => new Regexp(pattern)).toThrow(`error parsing regexp: ${message}`);
  });

  it.each([
    ["(a+)+$", `${"a".repeat(50_000)}!`],
    ["(a|a)*b", "a".repeat(50_000)],
    ["(.*)(.*)(.*)(.*)x", "a".repeat(20_000)],
    [String.raw`(a*\b)*b`, "a".repeat(20_000)],
  ])("%s takes time linear to a long text", (pattern, text) => {
    expect(new Regexp(pattern).matches(text)).toBe(false);
  });

  it("matches what JavaScript's matches, where both have the syntax", () => {
    const atom = fc.constantFrom(
      "a",
      "b",
      ".",
      "[ab]",
      "[^a]",
      "ab",
      "(a|b)",
      "(ab)*",
      "a?",
      "(a|)",
      "b+?",
      String.raw`\d`,
    );
    const sequence = fc.array(atom, { maxLength: 5 }).map((parts) => parts.join(""));
    const pattern = fc.array(sequence, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("|"));
    const text = fc
      .array(fc.constantFrom("a", "b", "c", "1"), { maxLength: 6 })
      .map((chars) => chars.join(""));
    fc.assert(
      fc.property(pattern, text, (pattern, text) => {
        expect(new Regexp(pattern).matches(text)).toBe(new RegExp(`^(?:${pattern})$`, "s").test(text));
      }),
      { numRuns: 2000 },
    );
  });

  it("captures what JavaScript's captures", () => {
    const part = fc.constantFrom("(a*)", "(a+?)", "(b|ab)", "(.*)", "(.*?)", "a", "(a)?", "-");
    const pattern = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join(""));
    const text = fc.array(fc.constantFrom("a", "b", "-"), { maxLength: 7 }).map((chars) => chars.join(""));
    fc.assert(
      fc.property(pattern, text, (pattern, text) => {
        const expected = new RegExp(`^(?:${pattern})$`, "s").exec(text);
        const groups = expected ? [1, 2, 3, 4, 5].map((index) => expected[index] ?? "").join("/") : undefined;
        expect(new Regexp(pattern).expand(text, "$1/$2/$3/$4/$5")).toBe(groups);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a template", () => {
  it.each([
    ["(.*)-(.*)", "a-b", "$2-$1", "b-a"],
    ["(.*)-(.*)", "a-b", "${2}x$1y", "bx"],
    ["(?P<first>.*)-.*", "a-b", "${first}$$", "a$"],
    ["(a)|(b)", "b", "[$1][$2][$3]", "[][b][]"],
    ["😀(.)", "😀x", "$1", "x"],
    ["a", "a", "$", "$"],
  ])("of %s on %s: %s gives %s", (pattern, text, template, expected) => {
    expect(new Regexp(pattern).expand(text, template)).toBe(expected);
  });

  it("is not used if the text does not match", () => {
    expect(new Regexp("a").expand("b", "c")).toBeUndefined();
  });
});
