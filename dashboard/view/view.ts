/** Reads the view (page, range, filters, order) from the address and writes it there, so that a link shows the same. */
import { useEffect, useState } from "preact/hooks";
import { DEFAULT_RANGE, PRESETS, type Preset, type Range } from "./range.ts";

/** One function. Without a module: the functions of this name in all modules, added up. */
export interface FunctionName {
  service: string;
  module?: string | undefined;
  function: string;
}

export interface View {
  page: "functions" | "function" | "pipeline";
  range: Range;
  /** The function of the page "function". */
  of?: FunctionName | undefined;
  /** Filters and order of the page "functions". */
  service: string;
  q: string;
  sort: string;
  order: "asc" | "desc";
}

export const DEFAULT_SORT = { sort: "calls", order: "desc" } as const;

export function readView(search: string): View {
  const params = new URLSearchParams(search);
  const name = params.get("function");
  const service = params.get("service") ?? "";
  const isFunction = name !== null && service !== "";
  return {
    page: isFunction ? "function" : params.get("page") === "pipeline" ? "pipeline" : "functions",
    range: readRange(params),
    of: isFunction ? { service, function: name, module: params.get("module") ?? undefined } : undefined,
    service: isFunction ? "" : service,
    q: params.get("q") ?? "",
    sort: params.get("sort") ?? DEFAULT_SORT.sort,
    order: params.get("order") === "asc" ? "asc" : "desc",
  };
}

/** The address of a view. Defaults are left out. */
export function hrefOf(view: View): string {
  const params = new URLSearchParams();
  if (view.page === "pipeline") params.set("page", "pipeline");
  if (view.page === "function" && view.of) {
    params.set("service", view.of.service);
    if (view.of.module !== undefined) params.set("module", view.of.module);
    params.set("function", view.of.function);
  }
  if (view.page === "functions") {
    if (view.service !== "") params.set("service", view.service);
    if (view.q !== "") params.set("q", view.q);
    if (view.sort !== DEFAULT_SORT.sort || view.order !== DEFAULT_SORT.order) {
      params.set("sort", view.sort);
      params.set("order", view.order);
    }
  }
  if ("last" in view.range) {
    if (JSON.stringify(view.range) !== JSON.stringify(DEFAULT_RANGE)) params.set("range", view.range.last);
  } else {
    params.set("from", new Date(view.range.from).toISOString());
    params.set("to", new Date(view.range.to).toISOString());
  }
  const text = params.toString();
  return text === "" ? "/" : `/?${text}`;
}

const MOVED = "viewchange";

export function goTo(view: View, { replace = false } = {}): void {
  const href = hrefOf(view);
  if (href === location.pathname + location.search) return;
  if (replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  dispatchEvent(new Event(MOVED));
}

export function useView(): View {
  const [search, setSearch] = useState(location.search);
  useEffect(() => {
    const read = () => setSearch(location.search);
    addEventListener(MOVED, read);
    addEventListener("popstate", read);
    return () => {
      removeEventListener(MOVED, read);
      removeEventListener("popstate", read);
    };
  }, []);
  return readView(search);
}

/** Falls back to the default range if the address holds no valid one. */
function readRange(params: URLSearchParams): Range {
  const [from, to] = ["from", "to"].map((name) => Date.parse(params.get(name) ?? ""));
  if (from! < to!) return { from: from!, to: to! };
  const last = params.get("range") as Preset;
  return PRESETS.includes(last) ? { last } : DEFAULT_RANGE;
}
