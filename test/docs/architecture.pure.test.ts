/** Checks that docs/architecture.md names only files and folders that exist, and every room of src/. */
/// <reference types="vite/client" />
import { expect, it } from "vitest";
import text from "../../docs/architecture.md?raw";

/** Paths from the root of the repository, without what is installed or built. */
const files = Object.keys(
  import.meta.glob([
    "../../*",
    "../../.oxlintrc.json",
    "../../{bench,client,dashboard,docs,migrations,scripts,src,test}/**",
  ]),
).map((path) => path.replace("../../", "").replace("../", "test/").replace("./", "test/docs/"));

function exists(path: string): boolean {
  return path.endsWith("/") ? files.some((file) => file.startsWith(path)) : files.includes(path);
}

/** Targets of links to files, from the root of the repository. */
function linkedPaths(): string[] {
  return [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target]) =>
    target!.startsWith("../") ? target!.slice(3) : `docs/${target}`,
  );
}

/** Paths in code spans. */
function namedPaths(): string[] {
  const folders = "bench|client|dashboard|docs|migrations|scripts|src|test";
  return [...text.matchAll(new RegExp(`\`((?:${folders})/[^\`\\s]*)\``, "g"))].map(([, path]) => path!);
}

it("architecture.md names only files and folders that exist", () => {
  const paths = [...new Set([...linkedPaths(), ...namedPaths()])];
  expect(paths.length).toBeGreaterThan(60);
  expect(paths.filter((path) => !exists(path))).toEqual([]);
});

it("architecture.md names every room of src/", () => {
  const rooms = new Set(files.flatMap((file) => /^src\/[^/]+\//.exec(file) ?? []));
  expect(rooms.size).toBeGreaterThan(10);
  expect([...rooms].filter((room) => !text.includes(`| \`${room}\` |`))).toEqual([]);
});
