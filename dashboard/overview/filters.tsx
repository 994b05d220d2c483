/** The search field, the service filter, and the sort order on phones. */
import { useEffect, useRef } from "preact/hooks";
import { isolate } from "../parts/name.tsx";
import { goTo, type Sort, type View } from "../view/view.ts";
import { COUNTS, DURATIONS, LAST_SEEN } from "./columns.tsx";

interface FiltersProps {
  view: View;
  services: readonly string[];
}

export function Filters({ view, services }: FiltersProps) {
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      const isTyping = (event.target as Element).closest("input, select, textarea");
      if (event.key !== "/" || event.ctrlKey || event.metaKey || isTyping) return;
      event.preventDefault();
      search.current?.focus();
    };
    document.addEventListener("keydown", focus);
    return () => document.removeEventListener("keydown", focus);
  }, []);
  const known =
    view.service === "" || services.includes(view.service) ? services : [...services, view.service];
  return (
    <div class="filters" role="search">
      <input
        ref={search}
        type="search"
        aria-label="Search functions and failures"
        aria-keyshortcuts="/"
        placeholder="Search functions and failures"
        value={view.q}
        maxLength={200}
        onInput={(event) => goTo({ ...view, q: event.currentTarget.value }, { replace: true })}
      />
      <select
        aria-label="Service"
        value={view.service}
        onChange={(event) => goTo({ ...view, service: event.currentTarget.value })}
      >
        <option value="">All services</option>
        {known.map((service) => (
          <option key={service} value={service}>
            {isolate(service)}
          </option>
        ))}
      </select>
      <select
        class="sort"
        aria-label="Sort by"
        value={view.sort}
        onChange={(event) => goTo({ ...view, sort: event.currentTarget.value as Sort, order: "desc" })}
      >
        {[...COUNTS, ...DURATIONS, LAST_SEEN].map(({ key, title }) => (
          <option key={key} value={key}>
            {`Sort by ${title.toLowerCase()}`}
          </option>
        ))}
      </select>
    </div>
  );
}
