import { describe, expect, it } from "vitest";
import { checkNamedFiles } from "../../scripts/named-files.ts";

const PROJECTS = [
  { name: "pipeline", include: ["test/pipeline.test.ts"] },
  { name: "stages", include: ["test/**/*.test.ts"], exclude: ["test/pipeline.test.ts", "test/peers/**"] },
];
const check =
  (...args: string[]) =>
  () =>
    checkNamedFiles(["run", ...args], PROJECTS);

describe("a test file named on the command line", () => {
  it("is an error if --project leaves it out", () => {
    expect(check("--project", "stages", "test/flush.test.ts", "test/pipeline.test.ts")).toThrow(
      "test/pipeline.test.ts would not run: it belongs to the project pipeline, and --project selects stages. " +
        "Add --project pipeline, or leave --project out.",
    );
  });

  it("is an error if no project contains it", () => {
    expect(check("test/peers/prometheus.test.ts")).toThrow("it belongs to no project of the tests");
  });

  it("is accepted if a selected project contains it", () => {
    expect(check("test/pipeline.test.ts")).not.toThrow();
    expect(check("--project=pipeline", "--project", "stages", "test/pipeline.test.ts")).not.toThrow();
    expect(check("--project", "pipe*", "test/pipeline.test.ts")).not.toThrow();
    expect(check("--project", "stages", "test/flush.test.ts")).not.toThrow();
  });

  it("may be a folder or a part of a name, which vitest searches in the selected projects", () => {
    expect(check("--project", "stages", "test/buffer")).not.toThrow();
    expect(check("--project", "stages", "pipeline")).not.toThrow();
  });
});
