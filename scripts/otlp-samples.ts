/** Reads the bodies and expected results of test/ingest/otlp/samples/, for tests in the Workers runtime, which has no files. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT } from "./wrangler.ts";

/** The content of each file in base64, by the file's name. */
export async function readOtlpSamples(): Promise<Record<string, string>> {
  const folder = join(PROJECT, "test/ingest/otlp/samples");
  const names = await readdir(folder);
  return Object.fromEntries(
    await Promise.all(
      names.map(async (name) => [name, (await readFile(join(folder, name))).toString("base64")] as const),
    ),
  );
}
