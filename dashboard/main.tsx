/** Starts the dashboard: renders the app into the element #page. */
import { render } from "preact";
import { App } from "./app.tsx";
import { restoreScroll } from "./view/scroll.ts";

restoreScroll();
render(<App />, document.querySelector("#page")!);
