/**
 * Checks docs/architecture.md: every path in it exists, it names every room of src/, and rooms import no more than it says.
 */
/// <reference types="vite/client" />
import { expect, it } from "vitest";
import text from "../../docs/architecture.md?raw";
import { exists, files, fromRoot, linkedPaths } from "./files.ts";

const sources = import.meta.glob<string>("../../src/*/**/*.ts", {
  eager: true,
  query: "?raw",
  import: "default",
});

/** Paths in code spans. */
function namedPaths(): string[] {
  const folders = "bench|cli|client|dashboard|docs|examples|migrations|scripts|src|test";
  return [...text.matchAll(new RegExp(`\`((?:${folders})/[^\`\\s]*)\``, "g"))].map(([, path]) => path!);
}

it("architecture.md names only files and folders that exist", () => {
  const paths = [...new Set([...linkedPaths("docs/architecture.md", text), ...namedPaths()])];
  expect(paths.length).toBeGreaterThan(60);
  expect(paths.filter((path) => !exists(path))).toEqual([]);
});

it("architecture.md names every room of src/", () => {
  const rooms = new Set(files.flatMap((file) => /^src\/[^/]+\//.exec(file) ?? []));
  expect(rooms.size).toBeGreaterThan(10);
  expect([...rooms].filter((room) => !text.includes(`| \`${room}\` |`))).toEqual([]);
});

it("rooms import only what the map of architecture.md says", () => {
  const excess = Object.entries(sources).flatMap(([path, source]) => {
    const file = fromRoot("test/docs/", path);
    const allowed = allowedImports(/^src\/[^/]+\//.exec(file)![0]);
    return importedFiles(file, source)
      .filter((imported) => !allowed.some((room) => imported.startsWith(room)))
      .map((imported) => `${file} imports ${imported}`);
  });
  expect(Object.keys(sources).length).toBeGreaterThan(60);
  expect(excess).toEqual([]);
});

/** The room itself, and the last column of its row. */
function allowedImports(room: string): string[] {
  const row = text.split("\n").find((line) => line.startsWith(`| \`${room}\` |`)) ?? "";
  return [room, ...[...(row.split("|")[3] ?? "").matchAll(/`([^`]+)`/g)].map(([, path]) => path!)];
}

/** Files in rooms of src/ from which a file imports more than types. */
function importedFiles(file: string, source: string): string[] {
  const imports = source.matchAll(/^(?:import|export) (?!type )[^;"]*from "(\.[^"]+)"/gm);
  return [...imports].map(([, path]) => fromRoot(file, path!)).filter((path) => /^src\/[^/]+\//.test(path));
}
