/** Starts the stand-in by hand: `node test/cli/cloudflare-api/serve.ts` prints what to set, and runs until Ctrl-C. */
import { StandIn } from "./stand-in.ts";

const standIn = await StandIn.start();
console.log(`export CLOUDFLARE_API_BASE_URL=${standIn.url} CLOUDFLARE_API_TOKEN=good`);
console.log(`npx . deploy --url ${standIn.urlOf("metrics-collector")}`);
process.once("SIGINT", () => void standIn.stop().then(() => process.exit(0)));
process.once("SIGTERM", () => void standIn.stop().then(() => process.exit(0)));
