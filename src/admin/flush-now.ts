/** `POST /flush`: brings what is buffered to D1 now, without waiting for `MAX_WAITING_TIME`. */
import * as z from "zod";
import { callAllBuffers } from "../buffer/buffers.ts";
import { route } from "../http/route.ts";

const Flushing = z.object({
  flushes: z.int().meta({
    description:
      "Flushes on their way to D1 now, without dead letters. `GET /health` shows when D1 has them.",
  }),
});

export const flushNowRoute = route({
  method: "post",
  path: "/flush",
  right: "admin",
  summary: "Bring what is buffered to D1 now",
  description:
    "Reads include what is buffered, so this is needed only by what reads D1 itself, such as a backup.",
  query: z.object({}),
  status: 202,
  answer: Flushing,
  errors: [401, 403, 429, 503],
  async handler(c) {
    const each = await callAllBuffers(c.env, async (buffer) => await buffer.flush());
    return { flushes: each.reduce((sum, flushes) => sum + flushes, 0) };
  },
});
