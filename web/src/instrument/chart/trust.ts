/** How far a bar can be trusted: its mark in the chart, and the reason in words. Pure. */
import { timeOfDay } from "../../ui/format.ts";
import { type Gap, gapAt, type Item, isBar } from "./bars.ts";
import type { Interval } from "./intervals.ts";

export type Mark = "gap" | "partial" | "repaired";

const REASONS: Readonly<Record<Gap["reason"], string>> = {
  feed_away: "the feed was away",
  entries_lost: "messages were lost",
  unseen_trades: "a later quote told of trades that were not seen",
};

/** The chart's mark at an item. Candles of Upstox alone are all of history, and have no mark. */
export function markOf(item: Item, gaps: readonly Gap[], interval: Interval): Mark | null {
  const gap = gapAt(gaps, item.start, interval);
  if (!isBar(item)) return gap !== null && gap.state !== "repaired" ? "gap" : null;
  if (item.state === "partial") return "partial";
  if (item.state !== "repaired") return null;
  return item.ticks > 0 || gap !== null ? "repaired" : null;
}

export const marksOf = (
  items: readonly Item[],
  gaps: readonly Gap[],
  interval: Interval,
): readonly (Mark | null)[] => items.map((item) => markOf(item, gaps, interval));

/** The reason, for people. */
export function trustText(item: Item, gaps: readonly Gap[], interval: Interval): string {
  const gap = gapAt(gaps, item.start, interval);
  const reason = gap === null ? "" : `: ${REASONS[gap.reason]}`;
  if (!isBar(item)) {
    if (gap === null) return "no trade";
    return gap.state === "repaired"
      ? `no trade; repaired${reason}`
      : `trades may be missing${reason}`;
  }
  if (item.state === "forming") {
    const since = item.watchedFromMs;
    return since === undefined ? "provisional" : `provisional, seen since ${timeOfDay(since)}`;
  }
  if (item.state === "complete") return "complete";
  if (item.state === "repaired") {
    return markOf(item, gaps, interval) === "repaired"
      ? `repaired with Upstox's candles${reason}`
      : "Upstox's candle";
  }
  const secs = Math.ceil(item.silentMs / 1000);
  const silence = secs > 0 ? ` (feed silent for ${secs} s)` : "";
  return `partial, trades may be missing${reason}${silence}`;
}
