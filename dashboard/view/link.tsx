/** A link to another view. A plain click does not reload the page; opening in a new tab works as usual. */
import type { ComponentChildren } from "preact";
import { goTo, hrefOf, type View } from "./view.ts";

interface LinkProps {
  to: View;
  class?: string;
  current?: boolean;
  title?: string;
  children: ComponentChildren;
}

export function Link({ to, current = false, children, ...others }: LinkProps) {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    goTo(to);
  };
  return (
    <a href={hrefOf(to)} onClick={follow} {...others} {...(current ? { "aria-current": "page" } : {})}>
      {children}
    </a>
  );
}
