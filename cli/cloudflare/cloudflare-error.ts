/** An error answer of the Cloudflare API, with what it means and which permission it wants. */
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { Failure } from "../failure.ts";

export interface ApiProblem {
  code: number;
  message: string;
}

export class CloudflareError extends Failure {
  override name = "CloudflareError";
  readonly status: number;
  readonly codes: number[];

  constructor(method: string, path: string, status: number, problems: readonly ApiProblem[]) {
    const codes = problems.map(({ code }) => code);
    super(describe(method, path, status, problems), exitCodeOf(status, codes));
    this.status = status;
    this.codes = codes;
  }

  has(...codes: number[]): boolean {
    return codes.some((code) => this.codes.includes(code));
  }
}

/** Whether an error is an answer of the API with one of these codes. */
export function isCode(error: unknown, ...codes: number[]): boolean {
  return error instanceof CloudflareError && error.has(...codes);
}

/** The permission, as the dashboard names it, that requests to a path need. */
export function permissionFor(path: string, method: string): string | undefined {
  const right = method === "GET" ? "Read" : "Edit";
  if (/\/d1\//.test(path)) return `D1 ${right}`;
  if (/\/queues(\/|\?|$)/.test(path)) return `Queues ${right}`;
  if (/\/workers\//.test(path)) return `Workers Scripts ${right}`;
  if (/\/memberships/.test(path)) return "Memberships Read";
  if (/\/accounts(\?|\/[^/]+$|$)/.test(path)) return "Account Settings Read";
  return undefined;
}

/** What an API token for this package needs. */
export const TOKEN_PERMISSIONS =
  'the template "Edit Cloudflare Workers" plus "D1 Edit" and "Queues Edit", for the account in use';

const DENIED = [10000, 9106];
const INVALID_TOKEN = [9109, 6003, 6111, 1000];

function exitCodeOf(status: number, codes: readonly number[]): ExitCode {
  const isDenied =
    status === 401 || status === 403 || codes.some((code) => [...DENIED, ...INVALID_TOKEN].includes(code));
  return isDenied ? EXIT.notAllowed : EXIT.failed;
}

function describe(method: string, path: string, status: number, problems: readonly ApiProblem[]): string {
  const said = problems.map(({ code, message }) => `${message} [code: ${code}]`).join("; ");
  const what = `Cloudflare answered ${status} to ${method} ${path}${said === "" ? "." : `: ${said}`}`;
  const advice = adviceFor(
    problems.map(({ code }) => code),
    status,
    permissionFor(path, method),
  );
  return advice === undefined ? what : `${what}\n${advice}`;
}

/** What a person can do about an error code, whether our own request got it or wrangler's. */
export function adviceFor(
  codes: readonly number[],
  status: number | undefined,
  permission: string | undefined,
): string | undefined {
  const has = (...wanted: number[]) => wanted.some((code) => codes.includes(code));
  if (has(...INVALID_TOKEN) || status === 401) {
    return (
      "CLOUDFLARE_API_TOKEN is not valid, has expired, or is of another account. Make a new one with " +
      `${TOKEN_PERMISSIONS}, at https://dash.cloudflare.com/profile/api-tokens, or unset it and run: npx wrangler login`
    );
  }
  if (has(...DENIED) || status === 403) {
    const missing = permission === undefined ? "a permission" : `the permission "${permission}"`;
    return `The login lacks ${missing} for this account. A token needs ${TOKEN_PERMISSIONS}: https://dash.cloudflare.com/profile/api-tokens`;
  }
  if (has(7406))
    return "The account has as many D1 databases as its plan allows (10 on the Free plan). Delete one that is not used, or change the plan.";
  if (has(10063)) return NO_SUBDOMAIN;
  if (has(10072))
    return "The account has as many cron triggers as its plan allows (5 on the Free plan). Remove one in the dashboard.";
  if (has(11004))
    return "One of the queues already has another Worker as its consumer. Choose another --name, or remove that consumer.";
  if (has(10211, 100402))
    return "The change of the Durable Object's class cannot be uploaded this way. The version's notes in CHANGELOG.md say how.";
  if (has(10215))
    return "The Worker's newest version is not deployed, so its secrets cannot be changed. Deploy first.";
  return undefined;
}

export const NO_SUBDOMAIN =
  "The account has no workers.dev subdomain yet. Open https://dash.cloudflare.com/?to=/:account/workers-and-pages once, which registers one, and run this again.";
