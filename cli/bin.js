#!/usr/bin/env node
// Starts the command line on a Node that can run it. Plain JavaScript, so that an old Node can still say what it needs.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(
    `metrics-collector needs Node 22.12 or newer, because wrangler does; this is Node ${process.versions.node}.\n` +
      "Install a newer one from https://nodejs.org, or let npm bring one for this command:\n" +
      `  npx --package node@24 --package metrics-collector metrics-collector ${process.argv.slice(2).join(" ")}\n`,
  );
  process.exit(1);
}

const { existsSync } = await import("node:fs");
// A published package holds the built command line. A clone runs its source.
const built = new URL("../dist/cli/main.js", import.meta.url);
const source = new URL("./main.ts", import.meta.url);
await import(existsSync(source) ? source.href : built.href);
