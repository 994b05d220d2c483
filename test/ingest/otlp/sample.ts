/** The recorded OTLP bodies, and a function that sends one. `samples/README.md` says where they come from. */
import { env } from "cloudflare:workers";
import { mergeDeltas, parseDeltas, type Delta } from "../../../src/stats/delta.ts";
import { fetchWorker, buffer } from "../../worker.ts";

const { OTLP_SAMPLES } = env as unknown as { OTLP_SAMPLES: Record<string, string> };

export interface SampleRequest {
  path: string;
  contentType: string;
  contentEncoding?: string;
}

export function sampleBytes(name: string): Uint8Array<ArrayBuffer> {
  const text = OTLP_SAMPLES[name];
  if (text === undefined) throw new Error(`There is no sample ${name}.`);
  return Uint8Array.fromBase64(text) as Uint8Array<ArrayBuffer>;
}

export function sampleJson(name: string): unknown {
  return JSON.parse(new TextDecoder().decode(sampleBytes(name)));
}

export function sampleNames(): string[] {
  return Object.keys(OTLP_SAMPLES);
}

export function sendOtlp(
  { path, contentType, contentEncoding }: SampleRequest,
  body: Uint8Array<ArrayBuffer> | string,
): Promise<Response> {
  return fetchWorker(path, {
    method: "POST",
    headers: {
      "Content-Type": contentType,
      ...(contentEncoding === undefined ? {} : { "Content-Encoding": contentEncoding }),
    },
    body,
  });
}

/** Everything that waits in the buffer, one delta for each function and minute. */
export async function pendingDeltas(): Promise<Delta[]> {
  const page = await buffer().snapshot();
  if (page.status === "changed" || page.cursor !== null) throw new Error("The snapshot has several pages.");
  return mergeDeltas(page.pending.flatMap(parseDeltas));
}
