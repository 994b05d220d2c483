/** The editor's colours, from tokens.css, in light and in dark mode. */
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

export const highlighting = syntaxHighlighting(
  HighlightStyle.define([
    { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: "var(--p99)" },
    { tag: tags.function(tags.variableName), color: "var(--accent)" },
    { tag: [tags.string, tags.special(tags.string)], color: "var(--well)" },
    { tag: tags.number, color: "var(--slower)" },
    { tag: tags.labelName, color: "var(--silent)" },
    { tag: tags.comment, color: "var(--faint)", fontStyle: "italic" },
  ]),
);

export const theme = EditorView.theme({
  "&": { color: "var(--text)", fontSize: "14px" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5" },
  ".cm-content": { padding: "7px 0", minHeight: "36px", caretColor: "var(--text)" },
  ".cm-line": { padding: "0 10px" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-ground)" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "var(--failing-ground)" },
  // The usual mark is a picture in a data: URL, which the page's Content-Security-Policy forbids.
  ".cm-lintRange-error": {
    backgroundImage: "none",
    textDecoration: "underline wavy var(--failing-mark)",
    textDecorationSkipInk: "none",
    textUnderlineOffset: "3px",
  },
  ".cm-tooltip": {
    border: "1px solid var(--line-strong)",
    borderRadius: "6px",
    backgroundColor: "var(--raised)",
    color: "var(--text)",
    fontFamily: "var(--font)",
    fontSize: "13px",
    boxShadow: "0 8px 28px rgb(0 0 0 / 14%)",
    maxWidth: "min(560px, calc(100vw - 32px))",
  },
  ".cm-diagnostic": { padding: "5px 10px" },
  ".cm-diagnostic-error": { borderLeft: "3px solid var(--failing-mark)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "260px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 10px" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--accent)",
    color: "var(--ground)",
  },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-completionDetail": { marginLeft: "12px", fontStyle: "normal", opacity: "0.8" },
  ".cm-completionInfo": { padding: "6px 10px" },
});
