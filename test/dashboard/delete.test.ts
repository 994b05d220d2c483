import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { send } from "../../scripts/seed.ts";
import { expectNoMisdeeds, type Site, skipped, startSite } from "./page.ts";
import { functionNames } from "./table.ts";

const FUNCTIONS = ["create", "update", "remove"].map((name) => ({
  function: name,
  module: "orders",
  durationMs: 5,
}));

describe.skipIf(skipped)("deleting", () => {
  let site: Site;
  beforeAll(async () => {
    site = await startSite({ vars: { MAX_ITEMS: "10000" } });
    await send(site.url, "shop", FUNCTIONS);
    await send(site.url, "old", FUNCTIONS);
  });
  afterAll(() => site?.close());

  const listed = async (service: string) => {
    const answer = await fetch(new URL(`/metrics?service=${service}`, site.url));
    return ((await answer.json()) as { functions: { function: string }[] }).functions.map(
      (row) => row.function,
    );
  };

  it("deletes a function once its name is typed, and the list no longer shows it", async () => {
    const page = await site.open("/?service=shop");
    await page.locator("table.functions").getByRole("link", { name: "remove" }).click();
    await page.getByText("Delete this function").click();
    const button = page.getByRole("button", { name: "Delete function" });
    const field = page.getByLabel("Type the name of the function to confirm");
    await field.fill("remov");
    expect(await button.isDisabled()).toBe(true);
    await field.press("Enter");
    expect(await listed("shop")).toHaveLength(3);
    await field.fill("remove");
    await button.click();
    await page.getByRole("heading", { name: "Function deleted" }).waitFor();
    expect(await listed("shop")).not.toContain("remove");
    await page.goBack();
    await page.locator("table.functions").waitFor();
    expect((await functionNames(page)).toSorted()).toEqual(["create", "update"]);
    expectNoMisdeeds(page, { except: /status of 404/ });
  });

  it("deletes a service with all its functions, and says how many calls they had", async () => {
    const page = await site.open("/?service=old");
    await page.getByText("Delete this service").click();
    await page.getByLabel("Type the name of the service to confirm").fill("old");
    await page.getByRole("button", { name: "Delete service" }).click();
    await page.getByText("Deleted 3 functions with 3 calls.").waitFor();
    await page.getByText("No matching functions.").waitFor();
    expect(await listed("old")).toEqual([]);
    expectNoMisdeeds(page);
  });

  it("says why a deletion was refused, and stays signed in", async () => {
    const page = await site.open("/?service=shop");
    const error = { code: "forbidden", message: "This token may not delete." };
    await page.route("**/service?service=shop", (route) => route.fulfill({ status: 403, json: { error } }));
    await page.getByText("Delete this service").click();
    await page.getByLabel("Type the name of the service to confirm").fill("shop");
    await page.getByRole("button", { name: "Delete service" }).click();
    await page.getByText("Could not delete the service. This token may not delete.").waitFor();
    expect(await page.locator("table.functions").count()).toBe(1);
    expectNoMisdeeds(page, { except: /status of 403/ });
  });
});
