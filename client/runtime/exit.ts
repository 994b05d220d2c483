/** Notices that a Node, Deno or Bun process has nothing left to do. */
import { cancelTimer, startIdleTimer, type Timer } from "../clock.ts";
import { IDLE_CHECK_MS } from "../limits.ts";
import { platform } from "../platform.ts";

const listeners = new Set<() => void>();

/** All collectors share one listener: Node warns from the eleventh on. */
function onBeforeExit(): void {
  for (const listener of listeners) listener();
}

/** Calls back whenever the process is about to end by itself. Returns what stops that. */
export function watchExit(listener: () => void): () => void {
  // Adding a listener twice would call it twice.
  if (!listeners.size) platform.process?.on?.("beforeExit", onBeforeExit);
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (!listeners.size) platform.process?.off?.("beforeExit", onBeforeExit);
  };
}

/**
 * Calls back once nothing but one connection has kept the process alive for so long: then it waits only for the
 * collector's request. A wrong guess is harmless, since the attempt is made again. Returns what stops that.
 */
export function watchIdle(idleMs: number, onIdle: () => void): () => void {
  const { process } = platform;
  let timer: Timer | undefined;
  let idleChecks = 0;
  const check = (): void => {
    const active = process!.getActiveResourcesInfo!();
    // The standard streams are always there. Two sockets mean that the program has one of its own.
    const isIdle =
      active.every((name) => /^(Pipe|TTY|TCPSocket|TCPConnect|TLS|GetAddrInfoReq)Wrap$/.test(name)) &&
      active.filter((name) => name === "TCPSocketWrap").length < 2;
    idleChecks = isIdle ? idleChecks + 1 : 0;
    if (idleChecks * IDLE_CHECK_MS >= idleMs) onIdle();
    else timer = startIdleTimer(check, IDLE_CHECK_MS);
  };
  if (process?.getActiveResourcesInfo) timer = startIdleTimer(check, IDLE_CHECK_MS);
  return () => cancelTimer(timer);
}
