import { describe, expect, it } from "vitest";
import { refusalOfAddress } from "../src/outgoing-address.ts";

describe("a deployed Worker", () => {
  it.each([
    "https://example.com/rows?a=1",
    "https://8.8.8.8/",
    "https://[2606:4700::1]/",
    "https://172.32.0.1/",
    "https://localhost.example.com:8443/",
  ])("may send to %s", (address) => {
    expect(refusalOfAddress(address, false)).toBeUndefined();
  });

  it.each([
    "http://example.com/",
    "ftp://example.com/",
    "example.com",
    "https://user:word@example.com/",
    "https://localhost/",
    "https://db/",
    "https://db./",
    "https://db.internal/",
    "https://a.home.arpa./",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://10.1.2.3/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[fd00::1]/",
    "https://[fe80::1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:1::]/",
    "https://[2001:db8::1]/",
  ])("may not send to %s", (address) => {
    expect(refusalOfAddress(address, false)).toMatch(/\.$/);
  });
});

it("a local server may send to http addresses of its own machine, and to nothing but http and https", () => {
  expect(refusalOfAddress("http://127.0.0.1:8123/", true)).toBeUndefined();
  expect(refusalOfAddress("https://localhost/", true)).toBeUndefined();
  expect(refusalOfAddress("file:///etc/passwd", true)).toMatch(/https/);
});
