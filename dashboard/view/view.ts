/** Reads the view (page, range, filters, order) from the address and writes it there, so that a link shows the same. */
import { useEffect, useState } from "preact/hooks";
import { serverNow } from "../api/server-clock.ts";
import type { Range } from "../range/moment.ts";
import { DEFAULT_RANGE, isSame, readRange, writeRange } from "../range/range.ts";
import type { Zone } from "../times/times.ts";
import { rememberScroll, scrollToStart } from "./scroll.ts";

/** One function. Without a module: the functions of this name in all modules, added up. */
export interface FunctionName {
  service: string;
  module?: string | undefined;
  function: string;
}

export const SORTS = [
  "function",
  "service",
  "calls",
  "callsPerSecond",
  "errors",
  "errorRate",
  "averageMs",
  "p50Ms",
  "p95Ms",
  "p99Ms",
  "lastSeen",
] as const;
export type Sort = (typeof SORTS)[number];

/** The filters and the order of the functions page. */
export interface Filters {
  service: string;
  q: string;
  sort: Sort;
  order: "asc" | "desc";
}

/** What other pages keep for the way back. */
interface Kept extends Filters {
  /** The PromQL of the page "explore". Empty if there is none. */
  query: string;
}

export interface View extends Kept {
  /** "unknown": the address names no page. */
  page: "functions" | "function" | "alerts" | "explore" | "pipeline" | "unknown";
  range: Range;
  zone: Zone;
  /** The function of the page "function". */
  of?: FunctionName | undefined;
  /** What is wrong with the address, as sentences. */
  problems: readonly string[];
}

export const NO_FILTERS: Filters = { service: "", q: "", sort: "calls", order: "desc" };

/** `kept` is what the pages that the reader came from had in their addresses. */
export function readView(
  { pathname, search }: Pick<Location, "pathname" | "search">,
  kept: Kept = { ...NO_FILTERS, query: "" },
): View {
  const params = new URLSearchParams(search);
  const name = params.get("function");
  const service = params.get("service") ?? "";
  const { range, problem } = readRange(params, serverNow());
  const problems = problem === undefined ? [] : [problem];
  const zone = params.get("tz") === "utc" ? "utc" : "local";
  if (name !== null && service !== "") {
    const of = { service, function: name, module: params.get("module") ?? undefined };
    return { ...kept, page: "function", range, zone, of, problems };
  }
  const page = params.get("page") ?? "functions";
  const isKnown =
    pathname === "/" &&
    (page === "functions" || page === "alerts" || page === "explore" || page === "pipeline");
  if (!isKnown) return { ...kept, page: "unknown", range, zone, problems };
  if (page === "pipeline" || page === "alerts") return { ...kept, page, range, zone, problems };
  if (page === "explore") return { ...kept, page, range, zone, query: params.get("query") ?? "", problems };
  const q = params.get("q") ?? "";
  const { query } = kept;
  return { page: "functions", range, zone, service, q, ...readOrder(params, problems), query, problems };
}

/** The address of a view. Defaults are left out. */
export function hrefOf(view: View): string {
  const params = new URLSearchParams();
  if (view.page === "pipeline" || view.page === "alerts" || view.page === "explore")
    params.set("page", view.page);
  if (view.page === "explore" && view.query !== "") params.set("query", view.query);
  if (view.page === "function" && view.of) {
    params.set("service", view.of.service);
    if (view.of.module !== undefined) params.set("module", view.of.module);
    params.set("function", view.of.function);
  }
  if (view.page === "functions") {
    if (view.service !== "") params.set("service", view.service);
    if (view.q !== "") params.set("q", view.q);
    if (view.sort !== NO_FILTERS.sort || view.order !== NO_FILTERS.order) {
      params.set("sort", view.sort);
      params.set("order", view.order);
    }
  }
  if (!isSame(view.range, DEFAULT_RANGE)) {
    for (const [name, value] of Object.entries(writeRange(view.range))) params.set(name, value);
  }
  if (view.zone === "utc") params.set("tz", "utc");
  const text = params.toString();
  return text === "" ? "/" : `/?${text}`;
}

/** What this page stores with each entry of the browser's history. */
interface Entry {
  kept?: Kept;
  scroll?: number;
}

const MOVED = "viewchange";

export function goTo(view: View, { replace = false } = {}): void {
  const href = hrefOf(view);
  if (href === location.pathname + location.search) return;
  const { service, q, sort, order, query, page, of } = view;
  const entry: Entry = { kept: { service, q, sort, order, query } };
  const before = readView(location);
  if (replace) history.replaceState({ ...(history.state as Entry | null), ...entry }, "", href);
  else {
    rememberScroll();
    history.pushState(entry, "", href);
  }
  dispatchEvent(new Event(MOVED));
  if (page !== before.page || JSON.stringify(of) !== JSON.stringify(before.of)) scrollToStart();
}

export function useView(): View {
  const [view, setView] = useState(current);
  useEffect(() => {
    const read = () => setView(current());
    addEventListener(MOVED, read);
    addEventListener("popstate", read);
    return () => {
      removeEventListener(MOVED, read);
      removeEventListener("popstate", read);
    };
  }, []);
  return view;
}

function current(): View {
  return readView(location, (history.state as Entry | null)?.kept);
}

/** Adds a problem for each value that is not allowed. */
function readOrder(params: URLSearchParams, problems: string[]): Pick<Filters, "sort" | "order"> {
  const [sort, order] = [params.get("sort"), params.get("order")];
  const isSort = (SORTS as readonly (string | null)[]).includes(sort);
  if (sort !== null && !isSort) {
    problems.push(`The address has sort=${sort}, which is not a column. The functions are sorted by calls.`);
  }
  const isOrder = order === null || order === "asc" || order === "desc";
  if (!isOrder) {
    problems.push(`The address has order=${order}, which is neither asc nor desc. The order is descending.`);
  }
  return { sort: isSort ? (sort as Sort) : NO_FILTERS.sort, order: order === "asc" ? "asc" : "desc" };
}
