/** What `deploy` prints in the end. */
import type { Deployed } from "./deployed.ts";

/** With `mayShowTokens` it prints the tokens, and else where they are. */
export function summaryOf(deployed: Deployed, mayShowTokens: boolean): string {
  const { name, url, version, tokens, tokensFile, bookmark, health, problems } = deployed;
  const ingest =
    mayShowTokens && tokens.ingest !== undefined
      ? JSON.stringify(tokens.ingest)
      : "process.env.METRICS_TOKEN";
  const lines = [
    "",
    `MetricsCollector ${version} runs as ${name}${health ? ` and is ${health.status === "ok" ? "well" : "not well"}` : ""}.`,
    "",
    `  URL        ${url}`,
    `  Dashboard  ${url}/`,
    "",
    "In your program:",
    "",
    '  import { createMetricsCollector } from "metrics-collector-client";',
    `  const metricsCollector = createMetricsCollector({ url: "${url}", service: "my-service", token: ${ingest} });`,
    "",
  ];
  lines.push(...tokenLines(tokens, tokensFile, mayShowTokens), "");
  if (bookmark !== null) {
    lines.push(`The database as it was before this deployment: Time Travel bookmark ${bookmark}`, "");
  }
  if (problems.length > 0) lines.push("Problems:", ...problems.map((problem) => `  ! ${problem}`), "");
  return lines.join("\n").trimEnd();
}

function tokenLines(tokens: Deployed["tokens"], file: string, mayShow: boolean): string[] {
  const kept = `Tokens are kept in ${file}. Cloudflare shows them to nobody.`;
  if (!mayShow) return [`${kept} --show-tokens prints them.`];
  const row = (role: keyof typeof tokens, what: string) =>
    tokens[role] === undefined ? [] : [`  ${what.padEnd(23)}${tokens[role]}`];
  return [
    ...row("ingest", "sends samples"),
    ...row("read", "reads, opens the page"),
    ...row("admin", "administers"),
    "",
    kept,
  ];
}
