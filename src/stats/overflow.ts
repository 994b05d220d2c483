/** The name under which calls above a limit are added up: of a function within its service, or of a service. */

export const OVERFLOW = "__overflow__";
