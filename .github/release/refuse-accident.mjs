// Run by `npm publish` in the folder of a package, before anything is sent. Names on npm are for ever, so a package is published
// only once its owner has said where its source is. npm wants that for provenance as well.
import { readFileSync } from "node:fs";

const { name, repository } = JSON.parse(readFileSync("package.json", "utf8"));
if (repository === undefined) {
  console.error(
    `${name} is not published: its package.json names no "repository". The owner of the name sets it before the first ` +
      "release (.github/workflows/release.yml says what else).",
  );
  process.exit(1);
}
