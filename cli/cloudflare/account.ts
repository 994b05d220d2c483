/** Which account a command works on. */
import { EXIT } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import type { Output } from "../output.ts";
import type { CloudflareApi } from "./api.ts";

export interface Account {
  id: string;
  name: string;
}

const ACCOUNT_ID = /^[0-9a-f]{32}$/;

/** @throws {Failure} "undecided" where there are several and nobody chose, "notAllowed" where there is none */
export async function chooseAccount(
  api: CloudflareApi,
  wanted: string | undefined,
  output: Output,
): Promise<Account> {
  const given = wanted ?? process.env.CLOUDFLARE_ACCOUNT_ID;
  // An id is taken as it is: a token without "Account Settings Read" cannot list accounts.
  if (given !== undefined && ACCOUNT_ID.test(given)) return { id: given, name: given };
  const accounts = await api.list<Account>("/accounts");
  if (given !== undefined && given !== "") {
    const [match, ...others] = accounts.filter(({ name }) => name === given);
    if (match && others.length === 0) return match;
    throw new Failure(
      `${others.length > 0 ? "Several accounts are" : "No account of this login is"} named ${JSON.stringify(given)}. Its accounts:\n${listOf(accounts)}`,
      EXIT.undecided,
    );
  }
  if (accounts.length === 0) {
    throw new Failure(
      'The login shows no account. Give the account\'s id with --account, or add the permission "Account Settings Read" to the token.',
      EXIT.notAllowed,
    );
  }
  if (accounts.length === 1) return accounts[0]!;
  const otherwise = `The login has ${accounts.length} accounts. Choose one with --account or CLOUDFLARE_ACCOUNT_ID:\n${listOf(accounts)}`;
  const answer = await output.ask(
    `Accounts:\n${listOf(accounts)}\nWhich one (number, id or name)?`,
    otherwise,
  );
  const chosen = accounts.find(({ id, name }, i) => [String(i + 1), id, name].includes(answer));
  if (!chosen) throw new Failure(otherwise, EXIT.undecided);
  return chosen;
}

const listOf = (accounts: readonly Account[]) =>
  accounts.map(({ id, name }, i) => `  ${i + 1}. ${id}  ${name}`).join("\n");
