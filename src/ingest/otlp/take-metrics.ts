/** Handles `POST /v1/metrics`. */
import { otlpDecoder } from "./decoder.ts";
import { PointSums } from "./metrics/sum-points.ts";
import { ServiceSums } from "./service-sums.ts";
import { readOtlpSettings } from "./settings.ts";
import { takeOtlp, type Taken } from "./take.ts";
import { Tally } from "./tally.ts";
import { metrics, type Point } from "./wire/metric-messages.ts";

/**
 * Counts the calls that the data points of a request tell of, once, however often the same bytes are sent.
 *
 * @throws {ErrorResponse} if something of it was not recorded. The sender can repeat the whole request.
 * @throws {ConfigurationError}
 */
export function takeMetrics(request: Request, env: Env): Promise<Taken> {
  const settings = readOtlpSettings(env);
  const tally = new Tally();
  const sums = new PointSums(new ServiceSums(settings.ignored), tally, settings);
  const decoder = otlpDecoder({
    name: "metrics",
    message: metrics,
    take: (item) => sums.add(item as Point),
    parts: (source) => sums.parts(source),
  });
  return takeOtlp(request, env, decoder, tally);
}
