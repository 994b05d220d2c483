/**
 * Checks where the Worker may send what a person has configured: messages of alerts, rows of sinks. A deployed Worker sends over
 * https only, and not into private networks: whoever may configure addresses could otherwise make it call what only it can reach.
 *
 * WARNING: do not follow redirects of an allowed address. They lead anywhere.
 */

/** Returns why the address is not allowed. `isLocal` is true in local development, where any http address will do. */
export function refusalOfAddress(address: string, isLocal: boolean): string | undefined {
  const url = URL.parse(address);
  if (!url) return "It is not an address.";
  if (url.protocol !== "https:" && !(isLocal && url.protocol === "http:")) {
    return "It must begin with https://, so that nobody on the way can read or change the message.";
  }
  if (url.username !== "" || url.password !== "") return "It must not hold a user name or a password.";
  if (isLocal) return undefined;
  return isPrivateHost(url.hostname)
    ? `It is in a private or local network (${url.hostname}). Only public addresses are allowed.`
    : undefined;
}

const PRIVATE_NAMES = /(?:^|\.)(?:localhost|local|internal|intranet|lan|home|corp|private|home\.arpa)\.?$/;

/** `hostname` is as in a URL, so numbers such as 2130706433 are already written as 127.0.0.1. */
function isPrivateHost(hostname: string): boolean {
  if (hostname.startsWith("[")) return isPrivateIpv6(hostname.slice(1, -1));
  if (/^\d+\.\d+\.\d+\.\d+$/.test(hostname)) return isPrivateIpv4(hostname.split(".").map(Number));
  return !hostname.replace(/\.$/, "").includes(".") || PRIVATE_NAMES.test(hostname);
}

/** https://www.iana.org/assignments/iana-ipv4-special-registry */
function isPrivateIpv4([a = 0, b = 0, c = 0]: number[]): boolean {
  return (
    a === 0 ||
    a === 10 ||
    a === 127 ||
    (a === 100 && b >= 64 && b < 128) ||
    (a === 169 && b === 254) ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 192 && b === 0 && (c === 0 || c === 2)) ||
    (a === 198 && (b === 18 || b === 19)) ||
    (a === 198 && b === 51 && c === 100) ||
    (a === 203 && b === 0 && c === 113) ||
    a >= 224
  );
}

/** Only 2000::/3 is public, and of it not what embeds an IPv4 address (2002::/16, 2001::/32) or is for documentation. */
function isPrivateIpv6(text: string): boolean {
  const [first = "", second = ""] = text.split(":");
  const group = Number.parseInt(first || "0", 16);
  if (group < 0x2000 || group > 0x3fff) return true;
  const next = Number.parseInt(second || "0", 16);
  return group === 0x2002 || (group === 0x2001 && (next === 0 || next === 0xdb8));
}
