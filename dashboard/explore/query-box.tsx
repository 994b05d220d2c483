/** The field for the query, with the button that runs it. The editor is loaded here; until then there is a plain field. */
import { useEffect, useRef, useState } from "preact/hooks";
import { fetchWithToken } from "../api/prometheus.ts";
import type { Editor } from "./editor/editor.ts";

interface QueryBoxProps {
  /** The query of the address. When it changes, it replaces the text in the field. */
  query: string;
  isRunning: boolean;
  run: (query: string) => void;
}

const LABEL = "PromQL query";

export function QueryBox({ query, isRunning, run }: QueryBoxProps) {
  const box = useRef<HTMLDivElement>(null);
  const plain = useRef<HTMLTextAreaElement>(null);
  const editor = useRef<Editor>(undefined);
  const [state, setState] = useState<"loading" | "ready" | "failed">("loading");
  const textOf = () => editor.current?.text() ?? plain.current?.value ?? "";
  const submit = () => run(textOf().trim());
  const latest = useRef(submit);
  latest.current = submit;

  useEffect(() => {
    let isGone = false;
    const start = async () => {
      const { mountEditor } = await import("./editor/editor.ts");
      if (isGone || !box.current) return;
      const hasFocus = document.activeElement === plain.current;
      editor.current = mountEditor({
        parent: box.current,
        text: textOf(),
        label: LABEL,
        run: () => latest.current(),
        fetch: fetchWithToken,
      });
      setState("ready");
      if (hasFocus) editor.current.focus();
    };
    start().catch(() => setState("failed"));
    return () => {
      isGone = true;
      editor.current?.destroy();
      editor.current = undefined;
    };
  }, []);

  useEffect(() => {
    editor.current?.setText(query);
    if (plain.current) plain.current.value = query;
  }, [query]);

  const runOnEnter = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    submit();
  };
  return (
    <form
      class="query"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div class="field">
        <div ref={box} />
        {state !== "ready" && (
          <textarea
            ref={plain}
            aria-label={LABEL}
            rows={1}
            spellcheck={false}
            autocapitalize="off"
            defaultValue={query}
            onKeyDown={runOnEnter}
          />
        )}
      </div>
      <button type="submit" class="primary" aria-busy={isRunning}>
        Run
      </button>
      <p class="hint">
        {state === "failed"
          ? "The editor could not be loaded, so there is no completion. Reload the page to try again."
          : "Enter runs, Shift+Enter begins a new line, Ctrl+Space completes."}
      </p>
    </form>
  );
}
