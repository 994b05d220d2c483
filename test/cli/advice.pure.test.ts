/** Errors of Cloudflare's API that the stand-in does not make: what a person is told to do about each. */
import { expect, it } from "vitest";
import { adviceFor } from "../../cli/cloudflare/cloudflare-error.ts";

it.each([
  [9106, "lacks the permission"],
  [9109, "is not valid, has expired, or is of another account"],
  [10000, "lacks the permission"],
  [7406, "as many D1 databases as its plan allows"],
  [10063, "has no workers.dev subdomain yet"],
  [10072, "as many cron triggers as its plan allows"],
  [11004, "already has another Worker as its consumer"],
  [10211, "CHANGELOG.md say how"],
  [100402, "CHANGELOG.md say how"],
  [10215, "Deploy first"],
])("code %i: says what to do", (code, advice) => {
  expect(adviceFor([code], undefined, "D1 Edit")).toContain(advice);
});

it("an unknown code gets no advice that would be a guess", () => {
  expect(adviceFor([12345], undefined, undefined)).toBeUndefined();
});
