/** The exit codes of every command, as `--help` and docs/deploying.md list them. */
export const EXIT = {
  done: 0,
  /** Something failed. What was done stands; running the command again goes on from there. */
  failed: 1,
  /** The command line cannot be understood. Nothing was done. */
  usage: 2,
  /** Not logged in, or the login lacks a permission. */
  notAllowed: 3,
  /** A decision is needed that the command does not take by itself, such as which account. */
  undecided: 4,
  /** The command ran to its end and found problems: `doctor`, `status`, or a deployed Worker that is not well. */
  problems: 5,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `Exit codes:
  0    done
  1    failed; running the same command again is safe and goes on from there
  2    the command line cannot be understood
  3    not logged in, or the login lacks a permission (the message names it)
  4    a decision is needed, such as which account (the message lists the options)
  5    done, but a check found problems
  130  interrupted`;
