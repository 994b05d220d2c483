/** Queues and their consumers. */
import { randomUUID } from "node:crypto";
import { ApiError, type ApiRequest, json, paged } from "./answer.ts";
import type { Account, Consumer, Queue } from "./state.ts";

interface ConsumerBody {
  script_name?: string;
  script?: string;
  service?: string;
  settings?: Record<string, number>;
  dead_letter_queue?: string;
}

export function answerQueues(account: Account, request: ApiRequest): unknown {
  const { method, path, url } = request;
  const [, , id, part, consumerId] = path.split("/");
  if (id === undefined) {
    if (method === "GET") {
      const name = url.searchParams.get("name");
      const matching = account.queues.filter((queue) => name === null || queue.queue_name === name);
      return paged(matching.map(shown), request);
    }
    const { queue_name: name } = json(request) as { queue_name: string };
    if (account.queues.some((queue) => queue.queue_name === name)) {
      throw new ApiError(409, 11009, `Queue name '${name}' is already taken.`);
    }
    const queue: Queue = { queue_id: randomUUID().replaceAll("-", ""), queue_name: name, consumers: [] };
    account.queues.push(queue);
    return shown(queue);
  }
  const queue = account.queues.find(({ queue_id }) => queue_id === id);
  if (!queue) throw new ApiError(404, 11000, "Queue does not exist.");
  if (part === undefined) {
    if (method === "DELETE") {
      if (queue.consumers.length > 0) throw new ApiError(409, 11005, "The queue has a consumer.");
      account.queues = account.queues.filter((other) => other !== queue);
      return null;
    }
    return shown(queue);
  }
  return answerConsumers(account, queue, request, consumerId);
}

function answerConsumers(
  account: Account,
  queue: Queue,
  request: ApiRequest,
  id: string | undefined,
): unknown {
  const { method } = request;
  if (method === "GET") return queue.consumers.map((consumer) => shownConsumer(consumer));
  if (method === "DELETE") {
    queue.consumers = queue.consumers.filter(({ consumer_id }) => consumer_id !== id);
    return null;
  }
  const body = json(request) as ConsumerBody;
  const script = body.script_name ?? body.script ?? body.service ?? "";
  if (!account.scripts.get(script)?.version)
    throw new ApiError(404, 11001, `Worker ${script} does not exist.`);
  const { dead_letter_queue: deadLetters } = body;
  if (deadLetters !== undefined && !account.queues.some(({ queue_name }) => queue_name === deadLetters)) {
    throw new ApiError(404, 11000, `Queue ${deadLetters} does not exist.`);
  }
  const settings = { ...body.settings };
  const rest = { script, settings, ...(deadLetters === undefined ? {} : { dead_letter_queue: deadLetters }) };
  if (method === "PUT") {
    const at = queue.consumers.findIndex(({ consumer_id }) => consumer_id === id);
    if (at < 0) throw new ApiError(404, 11006, "Consumer does not exist.");
    queue.consumers[at] = { consumer_id: id!, ...rest };
    return shownConsumer(queue.consumers[at]);
  }
  if (queue.consumers.length > 0) {
    throw new ApiError(409, 11004, `The queue ${queue.queue_name} already has a consumer.`);
  }
  const consumer: Consumer = { consumer_id: randomUUID().replaceAll("-", ""), ...rest };
  queue.consumers.push(consumer);
  return shownConsumer(consumer);
}

function shown(queue: Queue): unknown {
  return {
    queue_id: queue.queue_id,
    queue_name: queue.queue_name,
    producers: [],
    producers_total_count: 0,
    consumers: queue.consumers.map((consumer) => shownConsumer(consumer)),
    consumers_total_count: queue.consumers.length,
  };
}

const shownConsumer = (consumer: Consumer) => ({
  ...consumer,
  type: "worker",
  service: consumer.script,
  environment: "production",
});
