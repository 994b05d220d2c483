/** `metrics-collector tokens`: who may send, read and administer. */
import { type Command, COMMON_OPTIONS, selectionOf, type Values } from "../command.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import { openCloud } from "../installed.ts";
import { Output } from "../output.ts";
import { isRole, ROLES, type Role, SECRETS, tokenId, type TokenEntry } from "../tokens/token-entry.ts";
import { TokenStore } from "../tokens/token-store.ts";

export const tokensCommand: Command = {
  name: "tokens",
  summary: "list, add, rotate and revoke tokens",
  positionals: "list|add|rotate|revoke [ROLE|ID]",
  help: `
  tokens list                         what this machine knows: id, role, service, age. Never the token itself.
  tokens add ROLE [--service NAME]    a further token. With --service it may send for that service only.
  tokens rotate ROLE [--service NAME] a new token beside the old one. Both work until the old one is revoked.
  tokens revoke ID                    ends one token.
  tokens revoke --rotated             ends every token that a rotation replaced.

ROLE is ingest (send samples), read, or admin (read, and replay or drop dead letters).

Cloudflare shows nobody what a secret holds, so this works on the machine that deployed, which keeps the
tokens in ~/.config/metrics-collector. From elsewhere, --replace sets a role's secret anew: the tokens that this
machine does not know then end.`,
  options: {
    ...COMMON_OPTIONS,
    service: { type: "string", value: "NAME", help: "Bind an ingest token to one service." },
    rotated: { type: "boolean", help: "With revoke: every token that a rotation replaced." },
    replace: {
      type: "boolean",
      help: "With add and rotate: end the role's tokens that this machine does not know.",
    },
  },
  run,
};

async function run(values: Values, [verb = "list", subject, ...others]: string[]): Promise<ExitCode> {
  const output = new Output({ json: values["json"] === true, yes: values["yes"] === true });
  if (others.length > 0) throw usage(`There is too much after "tokens ${verb}": ${others.join(" ")}.`);
  const verbs: Record<string, (store: TokenStore) => Promise<void>> = {
    list: (store) => list(store, output),
    add: (store) => add(store, values, roleOf(subject), false, output),
    rotate: (store) => add(store, values, roleOf(subject), true, output),
    revoke: (store) => revoke(store, values, subject, output),
  };
  const action = verbs[verb];
  if (!action) throw usage(`There is no "tokens ${verb}".`);
  if (verb === "add" || verb === "rotate") roleOf(subject);
  const cloud = await openCloud(selectionOf(values), output);
  const store = await TokenStore.open(cloud);
  await action(store);
  return EXIT.done;
}

function roleOf(subject: string | undefined): Role {
  if (subject !== undefined && isRole(subject)) return subject;
  throw usage(
    `${subject === undefined ? "The role is missing" : `"${subject}" is no role`}. It is one of ${ROLES.join(", ")}.`,
  );
}

const usage = (sentence: string) =>
  new Failure(`${sentence} See: npx metrics-collector tokens --help`, EXIT.usage);

const shown = (token: TokenEntry) => ({
  id: tokenId(token),
  role: token.role,
  service: token.service ?? null,
  createdAt: token.createdAt,
  rotatedAt: token.rotatedAt ?? null,
});

async function list(store: TokenStore, output: Output): Promise<void> {
  const unknown = store.rolesSetElsewhere();
  output.result({
    tokens: store.tokens.map(shown),
    secretsSetElsewhere: unknown.map((role) => SECRETS[role]),
  });
  output.print(`${"ID".padEnd(18)}${"ROLE".padEnd(8)}${"SERVICE".padEnd(20)}${"CREATED".padEnd(12)}STATE`);
  for (const token of store.tokens) {
    const state =
      token.rotatedAt === undefined ? "in use" : `rotated ${token.rotatedAt.slice(0, 10)}, still works`;
    output.print(
      `${tokenId(token).padEnd(18)}${token.role.padEnd(8)}${(token.service ?? "any").padEnd(20)}${token.createdAt.slice(0, 10).padEnd(12)}${state}`,
    );
  }
  for (const role of unknown)
    output.print(`${SECRETS[role]} was set elsewhere: its tokens are not known on this machine.`);
}

async function add(
  store: TokenStore,
  values: Values,
  role: Role,
  isRotation: boolean,
  output: Output,
): Promise<void> {
  const service = values["service"] as string | undefined;
  if (service !== undefined && role !== "ingest")
    throw usage("Only ingest tokens can be bound to a service.");
  const wanted = { role, ...(service === undefined ? {} : { service }) };
  const replaced = isRotation ? store.inUse(wanted) : [];
  const token = await output.step(
    `Setting ${SECRETS[role]}`,
    () => store.add(wanted, { rotate: isRotation, replace: values["replace"] === true }),
    () => `${SECRETS[role]} is set`,
  );
  output.result({ ...shown(token), token: token.value, rotated: replaced.map(tokenId) });
  output.print(`${token.value}\n`);
  output.print(
    replaced.length === 0
      ? `Token ${tokenId(token)} works within seconds.`
      : `Token ${tokenId(token)} works within seconds, and so do the old: ${replaced.map(tokenId).join(", ")}. ` +
          "Once nobody uses those: npx metrics-collector tokens revoke --rotated",
  );
}

async function revoke(
  store: TokenStore,
  values: Values,
  id: string | undefined,
  output: Output,
): Promise<void> {
  const isAll = values["rotated"] === true;
  if (isAll === (id !== undefined)) throw usage("Give one token's id, or --rotated.");
  const ended = store.tokens.filter((token) =>
    isAll ? token.rotatedAt !== undefined : tokenId(token) === id,
  );
  if (ended.length === 0) {
    if (isAll) return output.print("No token here was rotated.");
    throw new Failure(
      `This machine knows no token ${id}. "npx metrics-collector tokens list" lists those that it does.`,
      EXIT.undecided,
    );
  }
  for (const role of ROLES.filter((candidate) => store.wouldBeEmpty(candidate, ended))) {
    const question = `This ends the last token in ${SECRETS[role]}; nobody may ${RIGHTS[role]} then. Go on?`;
    if (!(await output.confirm(question, `${question} Say so with --yes, or add another first.`))) return;
  }
  await output.step(
    "Revoking",
    () => store.revoke(ended),
    () => `Revoked: ${ended.map(tokenId).join(", ")}`,
  );
  output.result({ revoked: ended.map(tokenId) });
}

const RIGHTS: Record<Role, string> = { ingest: "send", read: "read", admin: "administer" };
