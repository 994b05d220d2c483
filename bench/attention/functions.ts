/** Simulated functions of six kinds: how often each is called in a minute, how often it fails, and how long it takes. */
import { gamma, generator, normal, poisson, type Random } from "./random.ts";

export const KINDS = ["steady", "bursty", "night-quiet", "rare", "hourly", "deploys"] as const;
export type FunctionKind = (typeof KINDS)[number];

/** The share of calls that fail as usual. Functions of a kind take them in turns. */
export const ERROR_SHARES = [0, 0.001, 0.01, 0.09] as const;

const DAY = 1440;

/** A fault, from one minute to another. */
export interface Fault {
  from: number;
  to: number;
  /** The share of calls that fail besides the usual ones. */
  failing?: number;
  isSilent?: boolean;
}

export interface Minute {
  calls: number;
  errors: number;
}

/** Gives the minutes of one function, one after the other. */
export function simulate(
  kind: FunctionKind,
  seed: number,
  faults: readonly Fault[] = [],
): (minute: number) => Minute {
  const random = generator(seed);
  const usual = ERROR_SHARES[seed % ERROR_SHARES.length]!;
  const rate = rateOf(kind, random);
  const share = shareOf(kind, usual, random);
  return (minute) => {
    const mean = rate(minute);
    const calls = kind === "hourly" ? mean : -1;
    const usualShare = Math.min(1, share(minute));
    const fault = faults.find(({ from, to }) => minute >= from && minute < to);
    const p = 1 - (1 - usualShare) * (1 - (fault?.failing ?? 0));
    const made = calls >= 0 ? split(calls, p, random) : draw(mean, p, random);
    return fault?.isSilent ? { calls: 0, errors: 0 } : made;
  };
}

function draw(mean: number, share: number, random: Random): Minute {
  const errors = poisson(random, mean * share);
  return { calls: errors + poisson(random, mean * (1 - share)), errors };
}

function split(calls: number, share: number, random: Random): Minute {
  let errors = 0;
  for (let i = 0; i < calls; i++) if (random() < share) errors++;
  return { calls, errors };
}

/** Mean calls a minute. */
function rateOf(kind: FunctionKind, random: Random): (minute: number) => number {
  switch (kind) {
    case "steady":
      return () => 60;
    case "bursty": {
      // Negative-binomial: the rate varies from one five minutes to the next by as much as its mean.
      let level = 1;
      return (minute) => {
        if (minute % 5 === 0) level = gamma(random, 1);
        return 60 * level;
      };
    }
    case "night-quiet":
      // Called from 6:00 to 22:00, most at 14:00.
      return (minute) => {
        const hour = (minute % DAY) / 60;
        return hour < 6 || hour >= 22 ? 0 : 30 * Math.sin(((hour - 6) / 16) * Math.PI) ** 2;
      };
    case "rare":
      return () => 4 / 60;
    case "hourly": {
      // By cron at minute 7, or up to a minute late.
      let due = 7;
      return (minute) => {
        if (minute % 60 === 0) due = random() < 0.9 ? 7 : 8;
        return minute % 60 === due ? 1 : 0;
      };
    }
    case "deploys":
      return (minute) => (isDeploy(minute) ? 30 : 60);
  }
}

/** The share of calls that fail as usual. */
function shareOf(kind: FunctionKind, usual: number, random: Random): (minute: number) => number {
  if (kind === "bursty" && usual > 0) {
    // Errors come in clumps: 8 a day of 1 to 10 minutes, with up to 30 % more errors.
    let left = 0;
    let factor = 0;
    return () => {
      if (left > 0) left--;
      else if (random() < 8 / DAY) {
        left = Math.floor(random() * 10);
        factor = 6 * gamma(random, 2);
      } else factor = 0;
      return 0.8 * usual + Math.min(0.3, usual * factor);
    };
  }
  if (kind === "deploys") {
    let blip = 0;
    return (minute) => {
      if (minute % DAY === 600) blip = 0.1 * random();
      return usual + (isDeploy(minute) ? blip : 0);
    };
  }
  return () => usual;
}

/** Two minutes after 10:00, on two days of the week. */
function isDeploy(minute: number): boolean {
  const day = Math.floor(minute / DAY) % 7;
  return (day === 1 || day === 3) && minute % DAY >= 600 && minute % DAY < 602;
}

/** The mean of log p95 at a minute, and its noise over five minutes. */
export interface Durations {
  meanOf: (minute: number) => number;
  noise: (calls: number) => number;
}

/** A lognormal duration whose p95 follows the time of day, and wanders a little from one hour to the next. */
export function simulateDurations(kind: FunctionKind, seed: number): Durations {
  const random = generator(seed ^ 0x5bd1e995);
  let wander = 0;
  return {
    meanOf: (minute) => {
      if (minute % 60 === 0) wander = 0.8 * wander + (kind === "bursty" ? 0.12 : 0.05) * normal(random);
      return Math.log(80) + 0.2 * Math.sin((2 * Math.PI * minute) / DAY) + wander;
    },
    // The standard error of a lognormal p95, sigma 0.8, of so many calls.
    noise: (calls) => (normal(random) * 1.69) / Math.sqrt(Math.max(1, calls)),
  };
}
