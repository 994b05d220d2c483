/** A real NestJS application, with guards, pipes, metadata and swagger, in both orders of decorators. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { installProject, type Project } from "./project.ts";

let project: Project | undefined;

beforeAll(async () => {
  project = await installProject("the client in NestJS", [
    "@nestjs/common",
    "@nestjs/core",
    "@nestjs/platform-express",
    "@nestjs/swagger",
    "reflect-metadata",
    "rxjs",
    "typescript@~5.9.0",
    "@types/node",
  ]);
});

afterAll(() => project?.remove());

const PROGRAM = `
  import "reflect-metadata";
  import { CanActivate, Controller, ExecutionContext, Get, Injectable, Module, Param, ParseIntPipe, SetMetadata, UseGuards } from "@nestjs/common";
  import { NestFactory, Reflector } from "@nestjs/core";
  import { ApiOperation, DocumentBuilder, SwaggerModule } from "@nestjs/swagger";
  import { createMetricsCollector } from "metrics-collector-client/decorators";

  const sent: Record<string, [number, number]> = {};
  const metricsCollector = createMetricsCollector({
    url: "http://collector", service: "nest", strict: true,
    fetcher: { fetch: async (_: string, init: any) => {
      const { samples } = JSON.parse(init.body);
      for (const s of samples) sent[s.function] = [s.calls, s.errors ?? 0];
      return Response.json({ accepted: samples.length, rejected: 0, reasons: [] });
    } },
  });

  @Injectable()
  class RolesGuard implements CanActivate {
    constructor(private readonly reflector: Reflector) {}
    canActivate(context: ExecutionContext): boolean {
      const roles = this.reflector.get<string[]>("roles", context.getHandler());
      return !roles || context.switchToHttp().getRequest().headers.role === roles[0];
    }
  }

  @Injectable()
  @metricsCollector.methods
  class Cats {
    find(id: number): string { return "cat " + id; }
  }

  @Controller("cats")
  @UseGuards(RolesGuard)
  class CatsController {
    constructor(private readonly cats: Cats) {}
    @Get("above/:id") @SetMetadata("roles", ["admin"]) @ApiOperation({ summary: "above" }) @metricsCollector
    above(@Param("id", ParseIntPipe) id: number) { return this.cats.find(id); }
    @metricsCollector @Get("below/:id") @SetMetadata("roles", ["admin"]) @ApiOperation({ summary: "below" })
    async below(@Param("id", ParseIntPipe) id: number) { return this.cats.find(id); }
  }

  @Module({ controllers: [CatsController], providers: [Cats, RolesGuard] })
  class AppModule {}

  async function main() {
    const app = await NestFactory.create(AppModule, { logger: false });
    const document = SwaggerModule.createDocument(app, new DocumentBuilder().build());
    const summaries = Object.values(document.paths).map((path: any) => path.get.summary);
    await app.listen(0, "127.0.0.1");
    const url = (await app.getUrl()) + "/cats";
    const results: unknown[] = [];
    for (const path of ["/above/1", "/below/1", "/below/x"]) {
      for (const role of ["admin", "guest"]) {
        const response = await fetch(url + path, { headers: { role } });
        results.push([path, role, response.status, response.ok ? await response.text() : ""]);
      }
    }
    await app.close();
    await metricsCollector.close();
    console.log(JSON.stringify({ summaries, results, sent }));
  }
  void main();
`;

it("guards, pipes, metadata and swagger see what they saw, and handlers and services are counted", async ({
  skip,
}) => {
  if (!project) return skip();
  await project.write("app.ts", PROGRAM);
  await project.write("package.json", '{ "name": "project", "private": true }');
  const options = {
    target: "es2022",
    module: "commonjs",
    moduleResolution: "node10",
    strict: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    skipLibCheck: true,
    esModuleInterop: true,
    types: ["node"],
  };
  await project.write("tsconfig.json", JSON.stringify({ compilerOptions: options, files: ["app.ts"] }));
  const compiled = await project.node("node_modules/typescript/bin/tsc", "-p", ".");
  expect(compiled.output).toBe("");
  const { output } = await project.node("app.js");
  expect(JSON.parse(output)).toEqual({
    summaries: ["above", "below"],
    results: [
      ["/above/1", "admin", 200, "cat 1"],
      ["/above/1", "guest", 403, ""],
      ["/below/1", "admin", 200, "cat 1"],
      ["/below/1", "guest", 403, ""],
      ["/below/x", "admin", 400, ""],
      ["/below/x", "guest", 403, ""],
    ],
    sent: { "CatsController.above": [1, 0], "CatsController.below": [1, 0], "Cats.find": [2, 0] },
  });
});
