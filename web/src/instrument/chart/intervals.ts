/** The intervals of a chart: their lengths, and where their bars begin. Pure. */
import { DAY_MS, dayOf, IST_OFFSET_MS } from "../../ui/ist.ts";

export const INTERVALS = ["1m", "3m", "5m", "15m", "1h", "1d"] as const;
export type Interval = (typeof INTERVALS)[number];

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
const LENGTHS_MS: Readonly<Record<Interval, number>> = {
  "1m": MINUTE_MS,
  "3m": 3 * MINUTE_MS,
  "5m": 5 * MINUTE_MS,
  "15m": 15 * MINUTE_MS,
  "1h": HOUR_MS,
  "1d": DAY_MS,
};
/** After 00:00 UTC: 09:00 IST, and 09:15 for shares and what is derived from them. */
const OPENS_MS = 210 * MINUTE_MS;
const SHARES_OPEN_MS = 225 * MINUTE_MS;
const SHARES = /^(?!NSE_COM\|)[NB]SE[_|]/;
const DEFAULT: Interval = "5m";

export const lengthMs = (interval: Interval): number => LENGTHS_MS[interval];

/** The interval of this name; the usual one if there is none. */
export function intervalOf(name: string | null): Interval {
  return INTERVALS.find((one) => one === name) ?? DEFAULT;
}

/** Upstox's own candles: the server does not store them. */
export const isCandle = (interval: Interval): boolean => interval === "1m" || interval === "3m";

/**
 * The start of the bar that contains a time. Bars are aligned to the session of their day, so
 * another bar of that day tells when they begin; without one, the session is the usual one.
 */
export function barStart(key: string, interval: Interval, atMs: number, otherMs = 0): number {
  const length = LENGTHS_MS[interval];
  let phase = DAY_MS - IST_OFFSET_MS;
  if (interval !== "1d") {
    const usualMs = SHARES.test(key) ? SHARES_OPEN_MS : OPENS_MS;
    phase = (dayOf(otherMs) === dayOf(atMs) ? otherMs : usualMs) % length;
  }
  return Math.floor((atMs - phase) / length) * length + phase;
}
