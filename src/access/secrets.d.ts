/**
 * Types of the bindings that wrangler.toml does not declare: the secrets with tokens, and the setting that opens a local
 * server. `wrangler types` cannot know them. This interface merges with the one that it generates.
 */
interface __BaseEnv_Env {
  /** Bearer tokens that may post samples, separated by commas. `shop=TOKEN` may post for the service "shop" only. */
  INGEST_TOKENS?: string;
  /** Bearer tokens that may read, separated by commas. */
  READ_TOKENS?: string;
  /** Bearer tokens that may read, delete series, and replay or drop dead letters, separated by commas. */
  ADMIN_TOKENS?: string;
  /** If "true", a server without any token is open. `npm start` sets it for the local server. Never deploy it. */
  OPEN_WITHOUT_TOKENS?: string;
}
