/** Sets the security headers that matter for data. Those turned off here matter only for documents or old browsers. */
import { secureHeaders } from "hono/secure-headers";

export const securityHeaders = secureHeaders({
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
  removePoweredBy: false,
});
