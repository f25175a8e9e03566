/** Texts that every view shows beside a price: its change, with a tone, and its age. Pure. */
import type { Quote } from "../stream/protocol.ts";
import type { KeyOutcome } from "../stream/subscriptions.ts";
import { timeOfDay, UNKNOWN } from "../ui/format.ts";
import type { Freshness } from "./freshness.ts";

export type Tone = "up" | "down" | "";

/** Texts in place of a missing price. */
export const WAITING: Readonly<Record<KeyOutcome, string>> = {
  asked: "…",
  live: "no price yet",
  pending: "requested",
  no_capacity: "the feed is full",
  needs_plus: "needs Upstox Plus",
  unknown: "no such instrument",
  removed: UNKNOWN,
  refused: "refused by the server",
};

/** The change since the previous close; `null` if either price is unknown. */
export function changeOf({ ltp, cp }: Quote): number | null {
  return typeof ltp === "number" && typeof cp === "number" ? ltp - cp : null;
}

export function percentOf(quote: Quote): number | null {
  const change = changeOf(quote);
  return change !== null && quote.cp ? (change / quote.cp) * 100 : null;
}

/** A colour never stands without a sign. */
export function toneOf(text: string): Tone {
  if (text.startsWith("+")) return "up";
  return text.startsWith("−") ? "down" : "";
}

/** When it was traded, or since when it may be wrong. */
export function timeText(freshness: Freshness, quote: Quote): string {
  const traded = timeOfDay(quote.ltt ?? quote.ts);
  if (freshness.kind === "stale") return `stale since ${timeOfDay(freshness.sinceMs)}`;
  return freshness.kind === "closed" ? `closed ${traded}` : traded;
}
