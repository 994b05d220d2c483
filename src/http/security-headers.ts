/** Sets the security headers that concern data. The other usual ones are for documents or for old browsers. */
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
