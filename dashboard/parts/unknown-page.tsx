/** Shown for an address that names no page. */
import { Link } from "../view/link.tsx";
import type { View } from "../view/view.ts";
import { Notice } from "./notice.tsx";

export function UnknownPage({ view }: { view: View }) {
  return (
    <Notice title="Page not found">
      <p>
        There is nothing at <code>{location.pathname + location.search}</code>.
      </p>
      <Link to={{ ...view, page: "functions" }}>See all functions</Link>
    </Notice>
  );
}
