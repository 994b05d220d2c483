/** What to check if a server or a Worker gets no answer. */
export const SERVER_ADVICE = "Check the option url and the network, and that the Worker runs.";
