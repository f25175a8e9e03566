import { expect, test } from "vitest";
import type { Bar, Gap } from "./bars.ts";
import { markOf, trustText } from "./trust.ts";

const START = Date.UTC(2026, 10, 27, 3, 45);
const GAP: Gap = { from_ms: START, to_ms: START + 60_000, reason: "feed_away", state: "open" };
const bar = (more: Partial<Bar>): Bar => ({
  ...{ start: START, open: 1, high: 1, low: 1, close: 1, volume: 1, dayVolume: 1 },
  ...{ state: "complete", silentMs: 0, ticks: 1, ...more },
});
const told = (more: Partial<Bar>, gaps: readonly Gap[] = []) => [
  markOf(bar(more), gaps, "5m"),
  trustText(bar(more), gaps, "5m"),
];

test("a bar says how far it can be trusted, and why", () => {
  expect(told({})).toEqual([null, "complete"]);
  expect(told({ state: "forming" })).toEqual([null, "provisional"]);
  expect(told({ state: "forming", watchedFromMs: START + 9_000 })[1]).toBe(
    "provisional, seen since 09:15:09",
  );
  expect(told({ state: "partial", silentMs: 4_200 }, [GAP])).toEqual([
    "partial",
    "partial, trades may be missing: the feed was away (feed silent for 5 s)",
  ]);
  expect(told({ state: "repaired" }, [{ ...GAP, state: "repaired" }])).toEqual([
    "repaired",
    "repaired with Upstox's candles: the feed was away",
  ]);
});

test("the candles of history have no mark, because all of them would", () => {
  expect(told({ state: "repaired", ticks: 0 })).toEqual([null, "Upstox's candle"]);
});

test("an empty slot is a time without trades, or one of which nothing is known", () => {
  const slot = { start: START };
  expect(markOf(slot, [], "5m")).toBeNull();
  expect(trustText(slot, [], "5m")).toBe("no trade");
  expect(markOf(slot, [GAP], "5m")).toBe("gap");
  expect(trustText(slot, [GAP], "5m")).toBe("trades may be missing: the feed was away");
  expect(markOf(slot, [{ ...GAP, state: "repaired" }], "5m")).toBeNull();
});
