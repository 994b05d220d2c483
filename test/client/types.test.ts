/** The wrapped has the type that it had: the compiler is asked. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

it("types are untouched: overloads, generics, this parameters, classes; and mistakes are found", async () => {
  const options = ["--ignoreConfig", "--noEmit", "--strict", "--exactOptionalPropertyTypes", "--types", ""];
  const modules = ["--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"];
  const lib = ["--lib", "es2022,dom,esnext.disposable,esnext.decorators", "--allowImportingTsExtensions"];
  const output = await new Promise((resolve) => {
    execFile(
      process.execPath,
      ["node_modules/typescript/bin/tsc", ...options, ...modules, ...lib, "test/client/fixtures/types.ts"],
      { cwd: root },
      (_, stdout) => resolve(stdout),
    );
  });
  expect(output).toBe("");
}, 30_000);
