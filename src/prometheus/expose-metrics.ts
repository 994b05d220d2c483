/** `GET /metrics` for a scraper: by its `Accept`, or as `format` says. */
import type { Context, MiddlewareHandler } from "hono";
import { accepts } from "hono/accepts";
import * as z from "zod";
import { callBinding } from "../binding-fault.ts";
import { theBuffer } from "../buffer/buffers.ts";
import { ListParameters } from "../api/list-functions.ts";
import { oneOf } from "../http/parameters.ts";
import { isSelectedBy } from "../read/selection.ts";
import { readTotals } from "../read/totals.ts";
import { readQuery } from "../http/validate.ts";
import { CONTENT_TYPES, type TextFormat, writeExposition } from "./exposition.ts";
import { familiesOf } from "./catalogue.ts";

const { service, function: name, q } = ListParameters.shape;
export const ScrapeParameters = z.strictObject({
  service,
  function: name,
  q,
  format: oneOf(["prometheus", "openmetrics"]).optional(),
});

/** IdempotencyStore where text is asked for, and leaves all else to the handlers that follow. */
export const exposeMetrics: MiddlewareHandler<{ Bindings: Env }> = async function exposeMetrics(c, next) {
  c.header("Vary", "Accept", { append: true });
  const format = textFormatOf(c);
  if (!format) {
    await next();
    return undefined;
  }
  const isSelected = isSelectedBy(readQuery(ScrapeParameters, c));
  const [functions, buffer] = await Promise.all([
    readTotals(c.env, isSelected),
    callBinding("The buffer", () => theBuffer(c.env).health()),
  ]);
  const text = writeExposition(familiesOf({ functions, buffer, now: Date.now() }), format);
  return c.body(text, 200, { "Content-Type": CONTENT_TYPES[format] });
};

/** JSON for people: a browser, curl, and whoever takes anything. */
function textFormatOf(c: Context): TextFormat | undefined {
  const forced = c.req.query("format");
  if (forced === "prometheus" || forced === "openmetrics") return forced;
  if (forced !== undefined) return undefined;
  const type = accepts(c, {
    header: "Accept",
    supports: ["application/json", "application/openmetrics-text", "text/plain"],
    default: "application/json",
  });
  if (type === "text/plain") return "prometheus";
  return type === "application/openmetrics-text" ? "openmetrics" : undefined;
}
