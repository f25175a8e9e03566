/** The intervals of a chart: their lengths, and where their bars begin. Pure. */

export const INTERVALS = ["1m", "3m", "5m", "15m", "1h", "1d"] as const;
export type Interval = (typeof INTERVALS)[number];

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
export const IST_OFFSET_MS = 19_800_000;
const LENGTHS_MS: Readonly<Record<Interval, number>> = {
  "1m": MINUTE_MS,
  "3m": 3 * MINUTE_MS,
  "5m": 5 * MINUTE_MS,
  "15m": 15 * MINUTE_MS,
  "1h": HOUR_MS,
  "1d": DAY_MS,
};
/** Shares trade from 09:15 IST. */
const SHARES_PHASE_MS = 45 * MINUTE_MS;
const DEFAULT: Interval = "5m";

export const lengthMs = (interval: Interval): number => LENGTHS_MS[interval];

/** The interval of this name; the usual one if there is none. */
export function intervalOf(name: string | null): Interval {
  return INTERVALS.find((one) => one === name) ?? DEFAULT;
}

/** Upstox's own candles: the server does not store them. */
export const isCandle = (interval: Interval): boolean => interval === "1m" || interval === "3m";

export const dayOf = (unixMs: number): number => Math.floor((unixMs + IST_OFFSET_MS) / DAY_MS);

/**
 * The start of the bar that contains a time. Hours are whole ones after the session's start, so
 * another bar of the instrument tells when they begin.
 */
export function barStart(interval: Interval, atMs: number, otherStartMs: number | null): number {
  const length = LENGTHS_MS[interval];
  let phase = 0;
  if (interval === "1d") phase = DAY_MS - IST_OFFSET_MS;
  else if (interval === "1h") phase = (otherStartMs ?? SHARES_PHASE_MS) % HOUR_MS;
  return Math.floor((atMs - phase) / length) * length + phase;
}
