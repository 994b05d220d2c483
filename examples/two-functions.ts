/** Wraps two functions, one of which always fails, and calls each a few times. `npm run demo` runs it. */
import { setTimeout as sleep } from "node:timers/promises";
import { createMetricsCollector } from "../client/index.ts";

class ValueError extends Error {
  override name = "ValueError";
}

/** Calls each function a few times. Resolves once every call is acknowledged. */
export async function callTwoFunctions(url: string, token?: string): Promise<void> {
  const metricsCollector = createMetricsCollector({ url, service: "demo", token });

  const successfulFunction = metricsCollector(async function successful_function(x: number, y: number) {
    await sleep(100);
    return x + y;
  });

  const errorFunction = metricsCollector(async function error_function() {
    await sleep(100);
    throw new ValueError("An error occurred");
  });

  for (let i = 0; i < 5; i++) await successfulFunction(i, i);
  for (let i = 0; i < 3; i++) {
    try {
      await errorFunction();
    } catch {
      // The wrapper passes the error on, as if the function were not wrapped.
    }
  }
  await metricsCollector.flush();
}
