/** Starts the dashboard: renders the app into the element #page. */
import { render } from "preact";
import { App } from "./app.tsx";

render(<App />, document.querySelector("#page")!);
