/** Sends POSTs over several connections, in a process of its own. Each connection waits for an answer before it sends again. */
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { Random } from "../../scripts/random.ts";
import { bodyOf, type Load } from "./samples.ts";

export interface Loaded {
  posts: number;
  refused: number;
  seconds: number;
}

const { url, form, perPost, seconds, connections } = JSON.parse(process.argv[2]!) as Load;
const random = new Random(1);
const bodies = Array.from({ length: 20 }, () => Buffer.from(bodyOf(random, form, perPost)));
const agent = new Agent({ keepAlive: true, maxSockets: connections });
const run = Math.random().toString(36).slice(2);
let posts = 0;
let refused = 0;

async function post(number: number): Promise<void> {
  const body = bodies[number % bodies.length]!;
  const outgoing = request(url, {
    method: "POST",
    agent,
    headers: {
      "Content-Type": "application/json",
      "Content-Length": body.length,
      "Idempotency-Key": `${run}:${number}`,
    },
  });
  outgoing.end(body);
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  answer.resume();
  await once(answer, "end");
  if (answer.statusCode! < 300) posts++;
  else refused++;
}

const start = performance.now();
let next = 0;
await Promise.all(
  Array.from({ length: connections }, async () => {
    while (performance.now() - start < seconds * 1000) await post(next++);
  }),
);
process.send!({ posts, refused, seconds: (performance.now() - start) / 1000 } satisfies Loaded);
agent.destroy();
process.disconnect();
