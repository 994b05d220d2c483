/**
 * Bindings that wrangler.toml does not declare: secrets, which a first deploy does not have yet, and the setting that
 * opens a local server. `wrangler types` therefore cannot know them; they join what it generates.
 */
interface __BaseEnv_Env {
  /** Bearer tokens that may post samples, comma-separated. `shop=TOKEN` may post for the service "shop" only. */
  INGEST_TOKENS?: string;
  /** Bearer tokens that may read, comma-separated. */
  READ_TOKENS?: string;
  /** Bearer tokens that may read, and replay or drop dead letters, comma-separated. */
  ADMIN_TOKENS?: string;
  /** "true" where `npm start` runs: what has no tokens is open. Given on the command line only, never deployed. */
  OPEN_WITHOUT_TOKENS?: string;
}
