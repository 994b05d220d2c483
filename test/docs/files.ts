/** The files of the repository, for tests that check what the documentation says about them. */
/// <reference types="vite/client" />

/** Paths from the root of the repository, without what is installed or built. */
export const files = Object.keys(
  import.meta.glob([
    "../../*",
    "../../{.oxlintrc.json,.ci/run}",
    "../../{bench,cli,client,dashboard,docs,examples,migrations,scripts,src,test}/**",
    "!../../client/dist/**",
  ]),
).map((path) => fromRoot("test/docs/", path));

/** Whether a file, or a folder with files, is at this path. */
export function exists(path: string): boolean {
  return files.includes(path) || files.some((file) => file.startsWith(path.replace(/\/?$/, "/")));
}

/** The paths of files to which a Markdown text links, from the root of the repository. */
export function linkedPaths(document: string, text: string): string[] {
  const targets = [...text.matchAll(/\]\(([^)#\s]+)/g), ...text.matchAll(/ (?:src|srcset)="([^"]+)"/g)];
  return targets
    .map(([, target]) => target!)
    .filter((target) => !/^https?:/.test(target))
    .map((target) => fromRoot(document, target));
}

/** Resolves a path relative to a file. */
export function fromRoot(file: string, path: string): string {
  return new URL(path, `file:///${file}`).pathname.slice(1);
}
