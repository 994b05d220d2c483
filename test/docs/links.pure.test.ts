/** Checks that links in Markdown files lead to files that exist. */
/// <reference types="vite/client" />
import { expect, it } from "vitest";
import { exists, fromRoot, linkedPaths } from "./files.ts";

const documents = import.meta.glob<string>(["../../*.md", "../../{client,docs,examples}/*.md"], {
  eager: true,
  query: "?raw",
  import: "default",
});

it.each(Object.entries(documents).map(([path, text]) => ({ document: fromRoot("test/docs/", path), text })))(
  "every link of $document leads to a file that exists",
  ({ document, text }) => {
    expect(linkedPaths(document, text).filter((path) => !exists(path))).toEqual([]);
  },
);
