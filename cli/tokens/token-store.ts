/**
 * Changes the tokens of one installation: first on this machine, then in the Worker's secret, so that a command that
 * is killed can be run again.
 */
import { EXIT } from "../exit-codes.ts";
import { Failure } from "../failure.ts";
import type { Cloud } from "../installed.ts";
import type { Knowledge } from "../record.ts";
import { newToken, ROLES, type Role, SECRETS, secretText, type TokenEntry } from "./token-entry.ts";

export class TokenStore {
  readonly #cloud: Cloud;
  readonly #secrets: readonly string[];
  #known: Knowledge;

  private constructor(cloud: Cloud, known: Knowledge, secrets: readonly string[]) {
    this.#cloud = cloud;
    this.#known = known;
    this.#secrets = secrets;
  }

  /** @throws {Failure} where nothing is deployed under the name */
  static async open(cloud: Cloud): Promise<TokenStore> {
    const { names, record, worker } = cloud;
    if ((await worker.state()) !== "present") {
      throw new Failure(`No Worker ${names.worker} is deployed. Deploy first: npx metrics-collector deploy`);
    }
    return new TokenStore(cloud, await record.read(), await worker.secretNames());
  }

  get tokens(): readonly TokenEntry[] {
    return this.#known.tokens;
  }

  /** Roles that have tokens of which this machine knows none. */
  rolesSetElsewhere(): Role[] {
    return ROLES.filter(
      (role) => this.#secrets.includes(SECRETS[role]) && !this.tokens.some((token) => token.role === role),
    );
  }

  inUse({ role, service }: Pick<TokenEntry, "role" | "service">): TokenEntry[] {
    return this.tokens.filter(
      (token) =>
        token.role === role && token.service === service && token.rotatedAt === undefined && !token.isPending,
    );
  }

  /** @throws {Failure} "undecided" if that would end tokens that this machine does not know, unless told to replace them */
  async add(
    wanted: Pick<TokenEntry, "role" | "service">,
    { rotate, replace }: { rotate: boolean; replace: boolean },
  ): Promise<TokenEntry> {
    const { role, service } = wanted;
    if (this.rolesSetElsewhere().includes(role) && !replace) {
      throw new Failure(
        `${SECRETS[role]} was set elsewhere, and Cloudflare does not show it: to add to it would end its tokens. ` +
          "Run this on the machine that deployed, or end them with --replace.",
        EXIT.undecided,
      );
    }
    // One that an interrupted run wrote down and maybe never set is taken up again.
    const left = this.tokens.find(
      (token) => token.isPending && token.role === role && token.service === service,
    );
    const token = left ?? newToken(role, service);
    const now = new Date().toISOString();
    const replaced = new Set(rotate ? this.inUse(wanted) : []);
    const others = this.tokens
      .filter((other) => other !== left)
      .map((other) => (replaced.has(other) ? { ...other, rotatedAt: now } : other));
    await this.#write([...others, { ...token, isPending: true }]);
    await this.#set(role);
    const { isPending: _, ...settled } = token;
    await this.#write([...others, settled]);
    return settled;
  }

  wouldBeEmpty(role: Role, without: readonly TokenEntry[]): boolean {
    const own = this.tokens.filter((token) => token.role === role);
    return own.length > 0 && own.every((token) => without.includes(token));
  }

  /** Idempotent. WARNING: the secret changes first. A token that is forgotten here but still works could never be ended. */
  async revoke(ended: readonly TokenEntry[]): Promise<void> {
    const kept = this.tokens.filter((token) => !ended.includes(token));
    for (const role of new Set(ended.map((token) => token.role))) await this.#set(role, kept);
    await this.#write(kept);
  }

  async #set(role: Role, tokens: readonly TokenEntry[] = this.tokens): Promise<void> {
    const text = secretText(tokens, role);
    if (text !== "") await this.#cloud.worker.putSecret(SECRETS[role], text);
    else if (this.#secrets.includes(SECRETS[role])) await this.#cloud.worker.deleteSecret(SECRETS[role]);
  }

  async #write(tokens: TokenEntry[]): Promise<void> {
    this.#known = { ...this.#known, tokens };
    await this.#cloud.record.write(this.#known);
  }
}
