/** What a database cost lately, from Cloudflare's analytics. */
import type { CloudflareApi } from "./api.ts";
import { Failure } from "../failure.ts";

export interface Usage {
  rowsRead: number;
  rowsWritten: number;
}

interface Answer {
  data?: {
    viewer?: { accounts?: { d1AnalyticsAdaptiveGroups?: { sum?: Partial<Usage> }[] }[] };
  } | null;
  errors?: { message: string }[] | null;
}

const QUERY = `query ($account: string, $filter: AccountD1AnalyticsAdaptiveGroupsFilter_InputObject) {
  viewer { accounts(filter: { accountTag: $account }) {
    d1AnalyticsAdaptiveGroups(limit: 10000, filter: $filter) { sum { rowsRead rowsWritten } }
  } }
}`;

/** @throws {Failure} without the permission "Account Analytics Read" */
export async function readUsage(
  api: CloudflareApi,
  account: string,
  databaseId: string,
  since: Date,
): Promise<Usage> {
  const answer = await api.graphql<Answer>({
    query: QUERY,
    variables: {
      account,
      filter: {
        AND: [
          { datetimeHour_geq: since.toISOString(), datetimeHour_leq: new Date().toISOString(), databaseId },
        ],
      },
    },
  });
  const groups = answer.data?.viewer?.accounts?.[0]?.d1AnalyticsAdaptiveGroups;
  if (!groups) {
    throw new Failure(
      `Cloudflare's analytics are not shown: ${answer.errors?.[0]?.message ?? "no answer"}. A token needs "Account Analytics Read" for them.`,
    );
  }
  return {
    rowsRead: groups.reduce((total, { sum }) => total + (sum?.rowsRead ?? 0), 0),
    rowsWritten: groups.reduce((total, { sum }) => total + (sum?.rowsWritten ?? 0), 0),
  };
}
