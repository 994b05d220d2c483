/**
 * The editor for PromQL: CodeMirror with Prometheus' own mode for it. Loaded on the page "explore" only, so nothing but
 * types may be imported from here at the start.
 */
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  closeCompletion,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, insertNewline } from "@codemirror/commands";
import { bracketMatching } from "@codemirror/language";
import { linter } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { LanguageType, promQLLanguage } from "@prometheus-io/codemirror-promql";
import { completions, type FetchFn } from "./completions.ts";
import { markError } from "./mark-error.ts";
import { replaceSelection } from "./replace-selection.ts";
import { highlighting, theme } from "./theme.ts";

export interface Editor {
  text: () => string;
  setText: (text: string) => void;
  focus: () => void;
  destroy: () => void;
}

interface EditorOptions {
  parent: HTMLElement;
  text: string;
  /** For screen readers. */
  label: string;
  run: () => void;
  /** Asks the query API for names and labels. */
  fetch: FetchFn;
}

/** Errors are marked after so long without a key. */
const MARK_AFTER_MS = 400;

export function mountEditor({ parent, text, label, run, fetch }: EditorOptions): Editor {
  // The page's Content-Security-Policy forbids style elements. In a shadow root CodeMirror needs none.
  const root = parent.attachShadow({ mode: "open" });
  const language = promQLLanguage(LanguageType.PromQL);
  const runNow = (view: EditorView): boolean => {
    closeCompletion(view);
    run();
    return true;
  };
  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: text,
      extensions: [
        language,
        language.data.of({ autocomplete: completions(fetch) }),
        // Before the keys below: Enter accepts a completion, if the list is open.
        autocompletion({ icons: false }),
        Prec.high(
          keymap.of([
            { key: "Mod-Enter", run: runNow },
            { key: "Enter", run: runNow },
            { key: "Shift-Enter", run: insertNewline },
          ]),
        ),
        keymap.of([...closeBracketsKeymap, ...historyKeymap, ...defaultKeymap]),
        history(),
        bracketMatching(),
        closeBrackets(),
        replaceSelection,
        linter(markError, { delay: MARK_AFTER_MS }),
        highlighting,
        theme,
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", autocapitalize: "off" }),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    setText(next) {
      const { doc } = view.state;
      if (doc.toString() === next) return;
      view.dispatch({
        changes: { from: 0, to: doc.length, insert: next },
        selection: { anchor: next.length },
      });
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}
