/** Reads the past of the functions that a rule selects, and says how often it would have fired in the last seven days. */
import { readPastCalls, readPastHistograms } from "../read/past-calls.ts";
import { readRecentCalls } from "../read/recent-calls.ts";
import type { Cell } from "../stats/call-cells.ts";
import { floorTo } from "../stats/interval.ts";
import { idOf, type SeriesId } from "../stats/series-id.ts";
import { DAY, HOUR, MINUTE } from "../stats/tiers.ts";
import { addDurations, limitsOfRule } from "./durations.ts";
import { canReplay, type Firing, replay } from "./replay.ts";
import type { Rule } from "./rule.ts";
import { matchesSelector } from "./selector.ts";

const DAYS = 7;
/** Functions that are judged: the busiest. Each has up to 3,600 rows in D1. */
const MOST = 10;
/** As above, if histograms are read too. */
const MOST_WITH_DURATIONS = 2;

export interface Preview {
  /** Epoch seconds. */
  from: number;
  to: number;
  /** Functions that the rule selects. */
  selected: number;
  functions: (SeriesId & { firings: Firing[] })[];
  /** Why it says less than asked. */
  note: string | null;
}

/** @throws {BusyError | BindingFault} */
export async function previewRule(
  env: Pick<Env, "BUFFER" | "DB">,
  rule: Rule,
  nowSeconds: number,
): Promise<Preview> {
  const to = floorTo(nowSeconds, MINUTE);
  const from = floorTo(to - DAYS * DAY, HOUR);
  const seenSince = (to - DAYS * DAY) * 1000;
  const recent = await readRecentCalls(env, { seenSince, start: to, histograms: Number.MAX_SAFE_INTEGER });
  const selected = recent.filter((one) => matchesSelector(rule.selector, one));
  const limits = limitsOfRule(rule);
  const most = limits ? MOST_WITH_DURATIONS : MOST;
  const stored = selected.filter(({ id }) => id !== null).sort((a, b) => b.calls - a.calls);
  const base = { from, to, selected: selected.length };
  if (!canReplay(rule)) {
    return { ...base, functions: [], note: "Durations by quarters of an hour cannot be judged again." };
  }
  const some = stored.slice(0, most);
  const ids = some.map(({ id }) => id!);
  const pasts = new Map((await readPastCalls(env, ids, to)).map((past) => [past.id, past]));
  const histograms = limits ? await readPastHistograms(env, ids, floorTo(to - DAY, HOUR), to) : undefined;
  const functions = some.map((one) => {
    const past = pasts.get(one.id!);
    const [minutes, hours] = [(past?.minutes ?? []).map(plain), (past?.hours ?? []).map(plain)];
    const rows = histograms?.get(one.id!);
    if (rows && limits) addDurations(minutes, hours, rows, limits, floorTo(to - DAY, HOUR));
    const cells = { firstSeen: one.firstSeen, lastSeen: one.lastSeen, minutes, hours };
    return { ...idOf(one), firings: replay(rule, cells, from, to) };
  });
  const note =
    some.length < selected.length ? `Only the ${some.length} busiest functions were judged.` : null;
  return { ...base, functions, note };
}

function plain({ start, calls, errors }: { start: number; calls: number; errors: number }): Cell {
  return { start, calls, errors, measured: 0, sumUs: 0 };
}
