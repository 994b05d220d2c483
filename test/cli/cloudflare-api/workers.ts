/** Workers: services, scripts, versions, secrets, schedules, subdomains and static files. */
import { randomUUID } from "node:crypto";
import { ApiError, type ApiRequest, form, json } from "./answer.ts";
import type { Account, Binding, Script, Version } from "./state.ts";

interface Metadata {
  main_module: string;
  bindings?: Binding[];
  compatibility_date: string;
  keep_bindings?: string[];
  assets?: { jwt: string };
  annotations?: Record<string, string>;
  exports?: Version["exports"];
}

export async function answerWorkers(account: Account, request: ApiRequest): Promise<unknown> {
  const { method, path } = request;
  const [, , kind, name, part] = path.split("/");
  if (kind === "subdomain") {
    if (account.subdomain === undefined) throw new ApiError(404, 10007, "There is no workers.dev subdomain.");
    return { subdomain: account.subdomain };
  }
  if (kind === "assets") return uploadAssets(account, request);
  if (kind === "services") return answerService(account, name!, method);
  if (kind === "workers") {
    const { isOnWorkersDev } = scriptOf(account, name!);
    return { id: name, name, subdomain: { enabled: isOnWorkersDev, previews_enabled: false } };
  }
  if (kind !== "scripts") throw new ApiError(404, 7000, `No route for ${method} ${path}.`);
  if (part === undefined && method === "PUT") return upload(account, name!, request);
  if (part === "assets-upload-session") return openAssetsSession(account, request);
  return answerScript(scriptOf(account, name!), request);
}

/** @throws {ApiError} where there is no code under the name */
function scriptOf(account: Account, name: string): Script & { version: Version } {
  const script = account.scripts.get(name);
  if (!script?.version) throw new ApiError(404, 10007, "This Worker does not exist on your account.");
  return script as Script & { version: Version };
}

function answerService(account: Account, name: string, method: string): unknown {
  const script = account.scripts.get(name);
  if (!script) throw new ApiError(404, 10090, "This service does not exist.");
  if (method === "DELETE") {
    account.scripts.delete(name);
    return null;
  }
  const environment = {
    environment: "production",
    ...(script.version
      ? { script: { id: name, tag: script.tag, tags: [], last_deployed_from: "wrangler" } }
      : {}),
  };
  return { id: name, default_environment: environment, environments: [environment] };
}

function answerScript(script: Script & { version: Version }, request: ApiRequest): unknown {
  const { method, path } = request;
  const [, , , , part, detail] = path.split("/");
  switch (part) {
    case "settings":
    case "script-settings":
      return {
        bindings: allBindings(script),
        compatibility_date: script.version.compatibilityDate,
        tags: [],
      };
    case "secrets":
      return answerSecrets(script, request, detail);
    case "deployments":
      return {
        deployments: script.deployments.toReversed().map(({ versionId, ...deployment }) => ({
          ...deployment,
          source: "wrangler",
          strategy: "percentage",
          author_email: "user@example.com",
          versions: [{ version_id: versionId, percentage: 100 }],
        })),
      };
    case "versions":
      return {
        id: script.version.id,
        metadata: { created_on: script.version.createdOn },
        annotations: script.version.annotations,
        resources: { bindings: allBindings(script), script: { handlers: ["fetch", "queue", "scheduled"] } },
      };
    case "subdomain":
      if (method === "POST") script.isOnWorkersDev = (json(request) as { enabled: boolean }).enabled;
      return { enabled: script.isOnWorkersDev, previews_enabled: false };
    case "schedules":
      if (method === "PUT") script.crons = (json(request) as { cron: string }[]).map(({ cron }) => cron);
      return { schedules: script.crons.map((cron) => ({ cron })) };
    default:
      throw new ApiError(404, 7000, `No route for ${method} ${path}.`);
  }
}

function allBindings({ version, secrets }: Script & { version: Version }): Binding[] {
  return [...version.bindings, ...Array.from(secrets.keys(), (name) => ({ type: "secret_text", name }))];
}

function answerSecrets(script: Script, request: ApiRequest, name: string | undefined): unknown {
  if (request.method === "GET") {
    return Array.from(script.secrets.keys(), (secret) => ({ name: secret, type: "secret_text" }));
  }
  if (request.method === "DELETE") {
    script.secrets.delete(name!);
    return null;
  }
  const { name: put, text } = json(request) as { name: string; text: string };
  script.secrets.set(put, text);
  return { name: put, type: "secret_text" };
}

interface AssetsToken {
  manifest: Record<string, string>;
  isComplete: boolean;
}

const seal = (token: AssetsToken) => Buffer.from(JSON.stringify(token)).toString("base64url");
const unseal = (token: string) => JSON.parse(Buffer.from(token, "base64url").toString()) as AssetsToken;

function openAssetsSession(account: Account, request: ApiRequest): unknown {
  const { manifest } = json(request) as { manifest: Record<string, { hash: string; size: number }> };
  const hashes = Object.fromEntries(Object.entries(manifest).map(([path, { hash }]) => [path, hash]));
  const missing = [...new Set(Object.values(hashes))].filter((hash) => !account.assets.has(hash));
  return {
    jwt: seal({ manifest: hashes, isComplete: missing.length === 0 }),
    buckets: missing.length === 0 ? [] : [missing],
  };
}

async function uploadAssets(account: Account, request: ApiRequest): Promise<unknown> {
  const token = unseal((request.headers.get("Authorization") ?? "").replace("Bearer ", ""));
  for (const [hash, content] of await form(request)) {
    const text = typeof content === "string" ? content : await content.text();
    account.assets.set(hash, Buffer.from(text, "base64"));
  }
  const isComplete = Object.values(token.manifest).every((hash) => account.assets.has(hash));
  return isComplete ? { jwt: seal({ ...token, isComplete }) } : {};
}

async function upload(account: Account, name: string, request: ApiRequest): Promise<unknown> {
  const parts = await form(request);
  const metadata = JSON.parse(await textOf(parts.get("metadata")!)) as Metadata;
  const modules = new Map<string, Uint8Array>();
  for (const [path, part] of parts) {
    if (path !== "metadata") modules.set(path, new TextEncoder().encode(await textOf(part)));
  }
  if (!modules.has(metadata.main_module)) throw new ApiError(400, 10021, "The main module is missing.");
  const earlier = account.scripts.get(name);
  const secrets = new Map(earlier?.secrets);
  const bindings: Binding[] = [];
  for (const binding of metadata.bindings ?? []) {
    if (binding.type === "secret_text") secrets.set(binding.name, binding["text"] as string);
    else bindings.push(resolve(account, binding, earlier?.version));
  }
  const kept = metadata.keep_bindings ?? [];
  for (const old of earlier?.version?.bindings ?? []) {
    if (kept.includes(old.type) && !bindings.some((binding) => binding.name === old.name)) bindings.push(old);
  }
  const version: Version = {
    id: randomUUID(),
    createdOn: new Date().toISOString(),
    mainModule: metadata.main_module,
    modules,
    bindings,
    compatibilityDate: metadata.compatibility_date,
    assets: metadata.assets ? unseal(metadata.assets.jwt).manifest : {},
    annotations: metadata.annotations ?? {},
    exports: metadata.exports ?? {},
  };
  const script: Script = earlier ?? {
    tag: randomUUID(),
    version: undefined,
    deployments: [],
    secrets,
    crons: [],
    isOnWorkersDev: false,
  };
  script.version = version;
  script.secrets = secrets;
  script.deployments.push({
    id: randomUUID(),
    created_on: version.createdOn,
    versionId: version.id,
    annotations: version.annotations,
  });
  account.scripts.set(name, script);
  return {
    id: name,
    tag: script.tag,
    deployment_id: version.id,
    startup_time_ms: 12,
    etag: version.id,
    mutable_pipeline_id: null,
    entry_point: metadata.main_module,
  };
}

/** @throws {ApiError} where what it binds does not exist */
function resolve(account: Account, binding: Binding, earlier: Version | undefined): Binding {
  if (binding.type === "inherit") {
    const old = earlier?.bindings.find(({ name }) => name === binding.name);
    if (!old) throw new ApiError(400, 10057, `There is no earlier binding ${binding.name} to inherit.`);
    return old;
  }
  if (binding.type === "d1") {
    const id = binding["id"] ?? binding["database_id"];
    if (!account.databases.some(({ uuid }) => uuid === id)) {
      throw new ApiError(400, 10021, `binding ${binding.name} of type d1 must have a valid database_id`);
    }
  }
  if (
    binding.type === "queue" &&
    !account.queues.some(({ queue_name }) => queue_name === binding["queue_name"])
  ) {
    throw new ApiError(400, 11000, `Queue ${String(binding["queue_name"])} does not exist.`);
  }
  return binding;
}

const textOf = async (part: FormDataEntryValue) => (typeof part === "string" ? part : part.text());
