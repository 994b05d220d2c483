/** All kinds of sinks, and what a person configures of each. */
import * as z from "zod";
import type { SinkStatus } from "./interface.ts";
import type { Sink } from "./sink.ts";
import { clickhouse } from "./targets/clickhouse.ts";
import { influxdb } from "./targets/influxdb.ts";
import { webhook } from "./targets/webhook.ts";

export const SinkConfiguration = z.discriminatedUnion("type", [
  webhook.configuration as typeof webhook.configuration & z.core.$ZodTypeDiscriminable,
  clickhouse.configuration as typeof clickhouse.configuration & z.core.$ZodTypeDiscriminable,
  influxdb.configuration as typeof influxdb.configuration & z.core.$ZodTypeDiscriminable,
]);
export type SinkConfiguration = z.infer<typeof SinkConfiguration>;

const TARGETS = { webhook, clickhouse, influxdb };

/** The sink for a configuration. */
export function targetOf({ type }: SinkConfiguration): Sink<SinkConfiguration> {
  return TARGETS[type] as unknown as Sink<SinkConfiguration>;
}

/** The configuration without its secrets. */
export function withoutSecrets(configuration: SinkConfiguration): SinkStatus["configuration"] {
  const { secrets } = targetOf(configuration);
  const shown = Object.entries(configuration).filter(
    ([field]) => !(secrets as readonly string[]).includes(field),
  );
  return Object.fromEntries(shown) as SinkStatus["configuration"];
}

/** What everybody who may read may see: without secrets, and of the address the host only, since paths can hold tokens. */
export function shownOf(configuration: SinkConfiguration): SinkStatus["configuration"] {
  const { addressOf } = targetOf(configuration);
  return { ...withoutSecrets(configuration), url: new URL(addressOf(configuration)).origin };
}

/**
 * The new configuration, with the secrets of the old one where it gives none.
 *
 * WARNING: only for the same host. Otherwise whoever may configure sinks could have a secret sent to a host of their own.
 */
export function withOldSecrets(
  given: SinkConfiguration,
  old: SinkConfiguration | undefined,
): SinkConfiguration {
  if (old?.type !== given.type) return given;
  const { secrets, addressOf } = targetOf(old);
  if (new URL(addressOf(old)).origin !== new URL(addressOf(given)).origin) return given;
  const kept = Object.entries(old).filter(([field]) => (secrets as readonly string[]).includes(field));
  return { ...Object.fromEntries(kept), ...given };
}
