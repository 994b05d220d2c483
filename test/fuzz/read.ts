/** Requests that read or manage: every route and every parameter of the API's own description, as it may be and not. */
import type { Random } from "../../scripts/random.ts";
import { env } from "cloudflare:workers";
import { app } from "../../src/app.ts";
import { SORTABLE, writeCursor } from "../../src/api/cursor.ts";
import { MAX_QUERY_LENGTH } from "../../src/http/parameters.ts";
import { FUNCTIONS, SERVICES } from "./batch.ts";
import { odd, text } from "./odd.ts";

interface Schema {
  type?: string;
  enum?: readonly unknown[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  examples?: readonly unknown[];
}

export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required?: boolean;
  schema: Schema;
}

export interface Route {
  method: string;
  path: string;
  parameters: Parameter[];
}

const document: { paths: Record<string, Record<string, { parameters: Parameter[] }>> } = await (
  await app.request("/openapi.json", {}, env)
).json();

/** Take samples, spans and data points. They have bodies of their own. */
const TAKING = ["/samples", "/v1/traces", "/v1/metrics"];

/** Whether a DELETE of the path deletes series. */
const deletesSeries = (path: string): boolean =>
  path.startsWith("/metrics/") || path === "/service" || path === "/function";

/** All but those that take calls in, and those that delete series: the random model and tests of their own cover these. */
export const ROUTES: readonly Route[] = Object.entries(document.paths).flatMap(([path, operations]) =>
  Object.entries(operations)
    .map(([method, { parameters }]) => ({ method: method.toUpperCase(), path, parameters }))
    .filter(({ method }) => method !== "POST" || !TAKING.includes(path))
    .filter(({ method }) => method !== "DELETE" || !deletesSeries(path)),
);

/** Each route once without any of its optional parameters for certain, and once with each of its parameters. */
const SLOTS = ROUTES.flatMap((route) => [
  { route, certain: "" },
  ...route.parameters.map(({ name }) => ({ route, certain: name })),
]);

/** Needed, but the document cannot say so, because a form may hold them instead. */
const RANGE_QUERY = ["query", "start", "end", "step"];

/** Parameters that any route may be sent, though it knows of none: those of all others. */
const NAMES = [...new Set(ROUTES.flatMap(({ parameters }) => parameters.map(({ name }) => name)))];

export interface ReadingRequest {
  /** Of the route that it was made from. */
  route: Route;
  /** Of the parameters in it. */
  sent: string[];
  method: string;
  path: string;
}

export function readingRequest(random: Random): ReadingRequest {
  const { route, certain } = random.pick(SLOTS);
  const isMutated = random.chance(0.4);
  const sent: string[] = [];
  const query: string[] = [];
  let path = route.path;
  for (const parameter of route.parameters) {
    const value = isMutated && random.chance(0.3) ? oddText(random) : valueOf(random, parameter);
    if (parameter.in === "path")
      path = path.replace(`{${parameter.name}}`, encoded(random, value, isMutated));
    if (parameter.in !== "query") continue;
    const isNeeded =
      parameter.required || (route.path.endsWith("/query_range") && RANGE_QUERY.includes(parameter.name));
    if (!isNeeded && parameter.name !== certain && !random.chance(chanceOf(route))) continue;
    sent.push(parameter.name);
    query.push(`${parameter.name}=${encoded(random, value, isMutated)}`);
  }
  if (isMutated && random.chance(0.3)) {
    const name = random.chance(0.7) ? random.pick(NAMES) : text(random);
    query.push(`${encoded(random, name, true)}=${encoded(random, oddText(random), true)}`);
  }
  if (isMutated && random.chance(0.1)) path = oddPath(random);
  const other = isMutated && random.chance(0.2) ? random.pick(METHODS) : route.method;
  // A deletion would change the counters.
  const method = other === "DELETE" && deletesSeries(route.path) ? route.method : other;
  return { route, sent, method, path: query.length > 0 ? `${path}?${query.join("&")}` : path };
}

/** A few at once: with all of them at once hardly any request would be a good one. */
function chanceOf({ parameters }: Route): number {
  return Math.min(0.5, 2.5 / parameters.length);
}

function valueOf(random: Random, { name, schema }: Parameter): string {
  const own = OWN_VALUES[name];
  if (own && random.chance(0.9)) return own(random);
  if (schema.enum) return String(random.pick(schema.enum));
  if (schema.type === "integer") {
    const { minimum = 0, maximum = 1_000 } = schema;
    const within = minimum + random.below(maximum - minimum + 1);
    return String(random.pick([minimum, minimum, minimum + 1, within, within, maximum]));
  }
  if (schema.examples && random.chance(0.5)) return String(random.pick(schema.examples));
  return text(random).slice(0, schema.maxLength ?? 200);
}

/** What a schema cannot say. */
const OWN_VALUES: Record<string, (random: Random) => string> = {
  service: (random) => random.pick([...SERVICES, ...SERVICES, "nobody"]),
  function: (random) => random.pick([...FUNCTIONS, ...FUNCTIONS, "pa*", "nothing"]),
  module: (random) => random.pick(["", "app/main", "app/other"]),
  q: (random) =>
    random.pick(["pay", "a", "Cart add", "value error", "an", '"', "NEAR(", "col:x", "a OR b", "%"]),
  from: (random) =>
    random.pick([
      "-24h",
      "-47h",
      "-5m",
      "-1s",
      "-90d",
      "-400d",
      "0",
      "2026-01-01",
      String(Date.now() - 3_600_000),
    ]),
  to: (random) =>
    random.pick(["now", "-1m", "-1h", "-89d", "9999-12-31", "253402300799999", String(Date.now())]),
  query: (random) =>
    random.pick([
      "up",
      "function_calls_total",
      "sum(rate(function_calls_total[5m]))",
      "1 + 1",
      "1 +",
      "up[1h",
    ]),
  "match[]": (random) =>
    random.pick(["up", "function_calls_total", '{__name__=~"function_.*"}', "{}", "up{"]),
  time: anyTime,
  start: (random) => (random.chance(0.95) ? secondsAgo(random.pick([60, 3_600])) : anyTime(random)),
  end: (random) => (random.chance(0.95) ? secondsAgo(0) : anyTime(random)),
  acceptLoss: (random) => random.pick(["true", "false"]),
  timeout: anyDuration,
  lookback_delta: anyDuration,
  limit: (random) => random.pick(["1", "1", "10", "100", "0", "-1"]),
  step: (random) => random.pick(["60", "1m", "7m", "1h", "1d", "1w", "999999960"]),
  id: (random) =>
    `${random.pick(["", "no-epoch", "0d6c25d4-5f30-4f4c-9b0e-9a3b0c5d7e11"])}:${random.pick([0, 1, 999_999_999_999_999])}`,
  cursor: (random) =>
    writeCursor(
      { sort: random.pick(SORTABLE), order: random.pick(["asc", "desc"]) },
      {
        service: random.pick(SERVICES),
        module: "",
        function: random.pick(FUNCTIONS),
        [random.pick(SORTABLE)]: random.pick([null, 0, 1, "x", -1e308]),
      },
      random.pick([0, Date.now(), 1e300]),
    ),
};

const secondsAgo = (seconds: number): string => String(Date.now() / 1000 - seconds);

function anyTime(random: Random): string {
  return random.pick([secondsAgo(0), secondsAgo(86_400), "0", "2026-01-01T00:00:00Z", "1e30", "now"]);
}

function anyDuration(random: Random): string {
  return random.pick(["5m", "30s", "1.5", "0", "-1m", "1y"]);
}

function oddText(random: Random): string {
  const value = odd(random);
  const words = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return random.chance(0.3) ? random.pick(ODD_WORDS) : words.slice(0, MAX_QUERY_LENGTH * 15);
}

function oddPath(random: Random): string {
  const segments = random.chance(0.5)
    ? Array.from({ length: random.below(50) }, () => "a")
    : Array.from({ length: 1 + random.below(4) }, () => encoded(random, text(random), true));
  return `/${segments.join("/")}`;
}

/** Mostly as it should be; sometimes with an escape that is none. */
function encoded(random: Random, text: string, mayBreak: boolean): string {
  const safe = encodeURIComponent(text.toWellFormed());
  return mayBreak && random.chance(0.1)
    ? `${safe}${random.pick(["%", "%ff", "%zz", "%00", "%c0%af", "..%2f"])}`
    : safe;
}

const METHODS = ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "POST"];
const ODD_WORDS = [
  "0",
  "-1",
  "1.5",
  "1e3",
  "0x10",
  "NaN",
  "Infinity",
  "-0",
  "+1",
  " 1",
  "999999999999",
  "-999999999w",
  "2026-13-45",
  "now-1h",
  "*",
  "**",
];
