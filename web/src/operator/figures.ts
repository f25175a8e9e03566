/** Figures of the system as text; one that is not known is never shown as zero. Pure. */
import { age, dateTime, quantity, UNKNOWN } from "../ui/format.ts";
import type { Figures } from "./operator_calls.ts";

/** How old the newest quote of a gateway is. */
export const quoteAge = (ageMs: number | null | undefined): string =>
  ageMs === null || ageMs === undefined ? UNKNOWN : `${age(ageMs)} old`;

/** Until when bars are stored, and how long before the server's time `nowMs` that is. */
export function storedUntil(untilMs: number | null | undefined, nowMs: number | undefined): string {
  if (untilMs === null || untilMs === undefined || nowMs === undefined) return dateTime(untilMs);
  return `${dateTime(untilMs)}, ${age(nowMs - untilMs)} ago`;
}

export const ofMost = (value: number, most: number): string =>
  `${quantity(value)} of ${quantity(most)}`;

/** The subscriptions at Upstox against their limits, by Upstox's mode. */
export const subscribed = (modes: Figures["modes"]): string =>
  Object.entries(modes ?? {})
    .map(([mode, use]) => `${ofMost(use.subscribed, use.limit)} ${mode.replaceAll("_", " ")}`)
    .join(", ") || UNKNOWN;
