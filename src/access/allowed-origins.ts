/** Reads `CORS_ORIGINS`: the origins of web pages that may use this Worker, separated by commas. */

/** Whether the setting lists the origin. If the setting is missing or empty, it lists none. */
export function isAllowedOrigin(
  { CORS_ORIGINS = "" }: Partial<Pick<Env, "CORS_ORIGINS">>,
  origin: string,
): boolean {
  return origin !== "" && CORS_ORIGINS.split(",").some((entry) => entry.trim() === origin);
}
