/** `GET /services`: lists services with their totals since the beginning. */
import * as z from "zod";
import { readForgetAfterMs } from "../configuration.ts";
import { oneOf } from "../http/parameters.ts";
import { READ_ERRORS, route } from "../http/route.ts";
import { readServices } from "../read/services.ts";
import { errorRate, Seen, seen } from "./function-metrics.ts";

export const ServiceList = z.object({
  services: z
    .array(
      z.object({
        service: z.string(),
        functions: z.int(),
        calls: z.int(),
        errors: z.int(),
        errorRate: z.number().nullable(),
        ...Seen.shape,
      }),
    )
    .meta({ description: "In order of name." }),
});
export type ServiceList = z.infer<typeof ServiceList>;

export const listServicesRoute = route({
  method: "get",
  path: "/services",
  right: "read",
  summary: "Services and what they did",
  query: z.strictObject({
    silent: oneOf(["include"])
      .optional()
      .meta({ description: "Includes services without a call for FORGET_AFTER_DAYS." }),
  }),
  answer: ServiceList,
  errors: READ_ERRORS,
  handler: async (c, { query }) => {
    const shownSince = Date.now() - readForgetAfterMs(c.env);
    const all = await readServices(c.env);
    const services = all.filter(({ lastSeen }) => query.silent === "include" || lastSeen >= shownSince);
    return { services: services.map((row) => ({ ...row, errorRate: errorRate(row), ...seen(row) })) };
  },
});
