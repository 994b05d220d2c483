/** Reads how far the sinks are. */
import { callBinding } from "../call-binding.ts";
import { logError } from "../log.ts";
import type { SinkStatus } from "../sinks/interface.ts";
import { callSink } from "../sinks/sinks.ts";
import { readSinkNames, readWaiting } from "../store/sinks.ts";

export interface SinkState extends SinkStatus {
  state: "beginning" | "sending" | "caught up" | "waiting" | "stopped" | "unknown";
  /** Minutes that changed and are not sent. One that changed twice may count twice. */
  lagRows: number;
  /** Since when the oldest of them waits, in seconds. */
  lagSeconds: number;
}

type Bindings = Pick<Env, "DB" | "SINKS">;

/** Reads nothing but the list if there is no sink. @throws {BindingFault} if D1 does not answer */
export async function readSinks(env: Bindings, now = Date.now()): Promise<SinkState[]> {
  const names = await callBinding("D1", () => readSinkNames(env.DB));
  if (names.length === 0) return [];
  const statuses = await Promise.all(names.map((name) => readStatus(env, name)));
  const cursors = statuses.map((status) => status?.cursor ?? 0);
  const waiting = await callBinding("D1", () => readWaiting(env.DB, cursors));
  return names.map((name, i) => {
    const status = statuses[i];
    const { rows, since } = waiting[i]!;
    return {
      ...(status ?? unknown(name)),
      state: status ? stateOf(status, rows) : "unknown",
      lagRows: rows,
      lagSeconds: since === null ? 0 : Math.max(0, Math.round(now / 1000 - since)),
    };
  });
}

/** Null if the object does not answer. */
async function readStatus(env: Bindings, name: string): Promise<SinkStatus | null> {
  try {
    return await callSink(env, name, async (sink) => await sink.status());
  } catch (error) {
    logError("sink_unknown", error, { sink: name });
    return null;
  }
}

function stateOf({ trouble, isBeginning }: SinkStatus, rows: number): SinkState["state"] {
  if (trouble) return trouble.isMisconfigured ? "stopped" : "waiting";
  if (isBeginning) return "beginning";
  return rows > 0 ? "sending" : "caught up";
}

function unknown(name: string): SinkStatus {
  return {
    name,
    configuration: {},
    cursor: null,
    isBeginning: false,
    sentOfBeginning: null,
    trouble: null,
    refused: 0,
    refusedRows: [],
    coarse: null,
  };
}
