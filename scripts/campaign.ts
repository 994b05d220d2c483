/**
 * `npm run campaign -- --minutes 5 --seed 42`: sends calls through a faulty network to a server that is killed again and
 * again, and checks that each call is counted once. Exit code 1 if one is not.
 */
import { parseArgs } from "node:util";
import { type Outcome, type Progress, runCampaign } from "./campaign/run.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 1_000_000)) },
    clients: { type: "string", default: "4" },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
const clients = Number(values.clients);
if (!(minutes > 0) || !Number.isInteger(seed) || !(clients > 0)) {
  console.error("Usage: npm run campaign -- [--minutes 5] [--seed 42] [--clients 4]");
  process.exit(2);
}

console.log(`Seed ${seed}, ${minutes} minutes, ${clients} client processes.`);
const outcome = await runCampaign({ seconds: minutes * 60, seed, clients, onProgress: showProgress() });
printTable(outcome);
const again = `npm run campaign -- --minutes ${minutes} --seed ${seed} --clients ${clients}`;
console.log(`\nTo repeat with the same seed: ${again}`);
process.exit(outcome.differences.length === 0 ? 0 : 1);

/** Prints progress: in a terminal one line that updates, otherwise one line every ten seconds. */
function showProgress(): (progress: Progress) => void {
  let shownAt = 0;
  return ({ phase, seconds, called, acknowledged, kills, reloads, faults, reads }) => {
    const line =
      `${phase} ${seconds.toFixed(0).padStart(4)} s: ${called} calls, ${acknowledged} acknowledged, ` +
      `${kills} kills, ${reloads} reloads, ${faults} faults, ${reads} reads`;
    if (process.stdout.isTTY) return void process.stdout.write(`\r\u001b[K${line}`);
    if (Date.now() - shownAt < 10_000) return;
    shownAt = Date.now();
    console.log(line);
  };
}

function printTable(outcome: Outcome): void {
  const rows: [string, number][] = [
    ["calls made", outcome.called],
    ["acknowledged", outcome.acknowledged],
    ["counted in D1", outcome.counted],
    ["lost", outcome.lost],
    ["double-counted", outcome.doubled],
    ["servers killed", outcome.kills],
    ["hot reloads", outcome.reloads],
    ...Object.entries(outcome.faults)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([fault, count]): [string, number] => [`fault: ${fault}`, count]),
    ["duplicates refused", outcome.duplicatesRefused],
    ["reads checked", outcome.reads],
    ["reads refused", outcome.readsRefused],
    ["reads without answer", outcome.readsUnanswered],
    ["differences", outcome.differences.length],
  ];
  console.log("\n");
  for (const [name, value] of rows) console.log(`${name.padEnd(28)}${String(value).padStart(10)}`);
  for (const difference of outcome.differences.slice(0, 20)) console.log(`\n${difference}`);
}
