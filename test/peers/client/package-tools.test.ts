/** The packed client as judged by publint and arethetypeswrong, and as compiled by TypeScript 5.0 and later. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installProject, type Project } from "./project.ts";

const VERSIONS = ["5.0", "5.1", "5.4", "5.9"];

let project: Project | undefined;

beforeAll(async () => {
  const compilers = VERSIONS.map((version) => `ts${version}@npm:typescript@~${version}.0`);
  project = await installProject("publint, arethetypeswrong and TypeScript", [
    "publint",
    "@arethetypeswrong/cli",
    ...compilers,
  ]);
});

afterAll(() => project?.remove());

it("publint finds nothing", async ({ skip }) => {
  if (!project) return skip();
  const { output } = await project.node(
    "node_modules/publint/src/cli.js",
    "run",
    "node_modules/metrics-collector-client",
    "--strict",
  );
  expect(output).toContain("All good!");
});

it("arethetypeswrong finds nothing, for node10 too", async ({ skip }) => {
  if (!project) return skip();
  const { code, output } = await project.node(
    "node_modules/@arethetypeswrong/cli/dist/index.js",
    project.tarball,
    "--exclude-entrypoints",
    "package.json",
  );
  expect(output).toContain("No problems found");
  expect(code).toBe(0);
});

const PROGRAM = `
  import { createMetricsCollector, type Stats } from "metrics-collector-client";
  const metricsCollector = createMetricsCollector({ url: "https://metrics.example", service: "shop" });
  export const total: (prices: number[]) => number = metricsCollector("total", (prices: number[]) => prices.length);
  export const stats: Stats = metricsCollector.stats();
  // @ts-expect-error A service is needed.
  createMetricsCollector({ url: "https://metrics.example" });
`;
const STANDARD = `
  import { createMetricsCollector } from "metrics-collector-client/decorators";
  const metricsCollector = createMetricsCollector({ url: "https://metrics.example", service: "shop" });
  @metricsCollector
  export class Checkout {
    @metricsCollector async submit(n: number): Promise<number> { return n; }
    @metricsCollector get total(): number { return 1; }
    @metricsCollector static open(): Checkout { return new Checkout(); }
    @metricsCollector accessor count = 1;
    @metricsCollector({ name: "named" }) named(): void {}
  }
`;
const LEGACY = `
  import { createMetricsCollector } from "metrics-collector-client/decorators";
  const metricsCollector = createMetricsCollector({ url: "https://metrics.example", service: "shop" });
  @metricsCollector.methods
  export class Checkout {
    @metricsCollector async submit(n: number): Promise<number> { return n; }
    @metricsCollector get total(): number { return 1; }
    @metricsCollector static open(): Checkout { return new Checkout(); }
    @metricsCollector({ name: "named" }) named(): void {}
    @metricsCollector("texted") texted(): void {}
  }
`;

describe.each(VERSIONS)("TypeScript %s", (version) => {
  it.each<[string, string, object]>([
    ["node10", PROGRAM, { module: "commonjs", moduleResolution: "node10" }],
    ["node16", PROGRAM, { module: "node16", moduleResolution: "node16" }],
    ["nodenext", PROGRAM, { module: "nodenext", moduleResolution: "nodenext" }],
    ["bundler", PROGRAM, { module: "esnext", moduleResolution: "bundler" }],
    ["standard decorators", STANDARD, { module: "nodenext", moduleResolution: "nodenext" }],
    [
      "experimentalDecorators",
      LEGACY,
      { module: "nodenext", moduleResolution: "nodenext", experimentalDecorators: true },
    ],
  ])("%s, without DOM, with every check", async (_, program, options) => {
    if (!project) return;
    await project.write("program.ts", program);
    const strict = {
      strict: true,
      noEmit: true,
      target: "es2022",
      lib: ["es2022"],
      skipLibCheck: false,
      types: [],
    };
    const compilerOptions = { ...strict, ...options };
    await project.write("tsconfig.json", JSON.stringify({ compilerOptions, files: ["program.ts"] }));
    const { output } = await project.node(`node_modules/ts${version}/bin/tsc`, "-p", ".");
    expect(output).toBe("");
  });
});
