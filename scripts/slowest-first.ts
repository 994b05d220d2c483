/** Starts the slowest test files first, so that no worker of vitest waits at the end for a single long file. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Test files that take longer than 30 seconds in CI, the slowest first. */
const SLOWEST = [
  "test/model/exactly-once.test.ts",
  "test/process/doors.test.ts",
  "test/client/random-invariant.test.ts",
  "test/dashboard/history.test.ts",
  "test/dashboard/states.test.ts",
  "test/cli/interruption.test.ts",
  "test/process/kill.test.ts",
  "test/process/campaign.test.ts",
  "test/dashboard/troubles.test.ts",
  "test/dashboard/names.test.ts",
  "test/dashboard/time.test.ts",
  "test/dashboard/live.test.ts",
  "test/cli/traps.test.ts",
];

export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const found = SLOWEST.findIndex((path) => moduleId.endsWith(path));
      return found === -1 ? SLOWEST.length : found;
    };
    const group = ({ project }: TestSpecification) => project.config.sequence.groupOrder;
    return (await super.sort(files)).toSorted((a, b) => group(a) - group(b) || rank(a) - rank(b));
  }
}
