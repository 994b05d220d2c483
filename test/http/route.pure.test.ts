import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { answerError, answerUnknownPath } from "../../src/http/answer-error.ts";
import { mount } from "../../src/http/mount.ts";
import { openApiRoute } from "../../src/http/openapi.ts";
import { type AnyRoute, type HttpEnv, route } from "../../src/http/route.ts";

const common = {
  summary: "A route",
  query: z.strictObject({}),
  answer: z.object({ said: z.string() }),
  errors: [],
};
const say = (said: string) => () => ({ said });

/** Serves the routes. The guard answers every request with the right that it asks for, unless the header names it. */
function serve(...routes: AnyRoute[]) {
  const app = new Hono<HttpEnv>();
  app.notFound(answerUnknownPath);
  app.onError(answerError);
  return mount(
    app,
    (right) => async (c, next) => (c.req.header("right") === right ? next() : c.text(`needs ${right}`, 401)),
    routes,
  );
}

describe("a declared route", () => {
  it("needs the right that it declares, whatever its method: a POST that only reads needs the right to read", async () => {
    const app = serve(
      route({ ...common, method: "post", path: "/query", right: "read", handler: say("read") }),
      route({ ...common, method: "get", path: "/secret", right: "admin", handler: say("administered") }),
    );
    const post = await app.request("/query", { method: "POST", headers: { right: "read" } });
    expect(await post.json()).toEqual({ said: "read" });
    expect(await (await app.request("/secret", { headers: { right: "read" } })).text()).toBe("needs admin");
  });

  it("needs no token only if it says so", async () => {
    const app = serve(
      route({ ...common, method: "get", path: "/open", right: "open", handler: say("open") }),
      route({ ...common, method: "post", path: "/own", right: "in handler", handler: say("checked inside") }),
    );
    expect(await (await app.request("/open")).json()).toEqual({ said: "open" });
    expect(await (await app.request("/own", { method: "POST" })).json()).toEqual({ said: "checked inside" });
  });

  it("does not compile without a right", () => {
    // @ts-expect-error The right is missing.
    const forgotten = route({ ...common, method: "get", path: "/forgotten", handler: say("anything") });
    expect(forgotten.right).toBeUndefined();
  });

  it("leaves a request to the next route of its path if it does not answer to it", async () => {
    const app = serve(
      route({
        ...common,
        method: "get",
        path: "/both",
        right: "open",
        answersTo: (c) => c.req.header("Accept") === "text/plain",
        handler: (c) => c.text("text"),
      }),
      route({ ...common, method: "get", path: "/both", right: "open", handler: say("json") }),
    );
    const text = await app.request("/both", { headers: { Accept: "text/plain" } });
    const json = await app.request("/both");
    expect([await text.text(), await json.json()]).toEqual(["text", { said: "json" }]);
    expect([text, json].map(({ headers }) => headers.get("Vary"))).toEqual(["Accept", "Accept"]);
  });

  it("gets the path's parameters decoded and the query validated", async () => {
    const app = serve(
      route({
        ...common,
        method: "get",
        path: "/of/:name",
        right: "open",
        query: z.strictObject({ times: z.coerce.number() }),
        handler: (_, { params, query }) => ({ said: params.name.repeat(query.times) }),
      }),
    );
    expect(await (await app.request("/of/a%2Fb?times=2")).json()).toEqual({ said: "a/ba/b" });
    const unknown = await app.request("/of/a?times=2&often=1");
    expect([unknown.status, await unknown.json()]).toEqual([
      400,
      {
        error: {
          code: "unknown_parameter",
          message: 'There is no parameter "often" here. This route takes times.',
        },
      },
    ]);
  });
});

it("a route can read its parameters and answer its errors in a form of its own, also those of the guard", async () => {
  const app = mount(
    new Hono<HttpEnv>(),
    () => async (c, next) => {
      if (c.req.header("right") === undefined) throw new Error("no right");
      await next();
    },
    [
      route({
        ...common,
        method: "post",
        path: "/form",
        right: "read",
        query: z.object({ name: z.array(z.string()) }),
        readParameters: async (c) => await c.req.parseBody({ all: true }),
        answerError: (error, c) => c.text(`own: ${error.message}`, 418 as never),
        handler(_, { query: { name } }) {
          if (name.length > 2) throw new Error("too many");
          return { said: name.join(" and ") };
        },
      }),
    ],
  );
  const ask = async (names: string[], headers: Record<string, string> = { right: "read" }) => {
    const body = new FormData();
    for (const name of names) body.append("name", name);
    const response = await app.request("/form", { method: "POST", headers, body });
    return response.text();
  };
  expect(await ask(["a", "b"])).toBe('{"said":"a and b"}');
  expect(await ask(["a", "b", "c"])).toBe("own: too many");
  expect(await ask(["a", "b"], {})).toBe("own: no right");
});

it("a path that no route declares needs the right to read", async () => {
  const app = serve();
  expect((await app.request("/nothing")).status).toBe(401);
  expect((await app.request("/nothing", { headers: { right: "read" } })).status).toBe(404);
});

it("the OpenAPI document describes exactly the declared routes and itself", async () => {
  const declared = route({
    ...common,
    method: "put",
    path: "/things/:id",
    right: "admin",
    handler: say("put"),
  });
  const app = serve(declared, openApiRoute([declared]));
  const { paths } = (await (await app.request("/openapi.json")).json()) as { paths: Record<string, object> };
  expect(Object.entries(paths).map(([path, operations]) => [path, Object.keys(operations)])).toEqual([
    ["/things/{id}", ["put"]],
    ["/openapi.json", ["get"]],
  ]);
});
