/** Handles `POST /v1/traces`. */
import { otlpDecoder } from "./decoder.ts";
import { ServiceSums } from "./service-sums.ts";
import { readOtlpSettings } from "./settings.ts";
import { takeOtlp, type Taken } from "./take.ts";
import { Tally } from "./tally.ts";
import { spanSummer } from "./traces/sum-spans.ts";
import type { Fields } from "./wire/message.ts";
import { traces } from "./wire/trace-messages.ts";

/**
 * Counts the spans of a request once, however often the same bytes are sent.
 *
 * @throws {ErrorResponse} if something of it was not recorded. The sender can repeat the whole request.
 * @throws {ConfigurationError}
 */
export function takeTraces(request: Request, env: Env): Promise<Taken> {
  const settings = readOtlpSettings(env);
  const services = new ServiceSums(settings.ignored);
  const tally = new Tally();
  const decoder = otlpDecoder({
    name: "traces",
    message: traces,
    take: spanSummer(services, tally, settings) as (item: Fields) => void,
    parts: (source) => services.parts(source),
  });
  return takeOtlp(request, env, decoder, tally);
}
