import { expect, test } from "vitest";
import type { Bar } from "./bars.ts";
import { Forming } from "./forming.ts";
import { MINUTE_MS } from "./intervals.ts";

const KEY = "NSE_EQ|INE002A01018";
/** 09:15 IST of a day. */
const OPEN = Date.UTC(2026, 10, 27, 3, 45);
const FIVE = 5 * MINUTE_MS;

const bar = (start: number, more: Partial<Bar> = {}): Bar => ({
  ...{ start, open: 10, high: 12, low: 9, close: 11, volume: 100, dayVolume: 1_000 },
  ...{ state: "complete", silentMs: 0, ticks: 5, ...more },
});
const trade = (price: number, atMs: number, dayVolume: number | null = null) => ({
  ...{ price, atMs, dayVolume },
});

test("a bar grows with each trade, and its volume is that of the day since the bar before", () => {
  const forming = new Forming(KEY, "5m");
  forming.rebase(bar(OPEN, { dayVolume: 1_000 }), null);
  forming.trade(trade(11, OPEN + FIVE - 1_000, 1_000));
  expect(forming.bars).toEqual([]);
  forming.trade(trade(11, OPEN + FIVE + 1_000, 1_010));
  forming.trade(trade(14, OPEN + FIVE + 2_000, 1_015));
  forming.trade(trade(10, OPEN + FIVE + 3_000, 1_025));
  const [grown] = forming.bars;
  expect(grown).toMatchObject({ start: OPEN + FIVE, open: 11, high: 14, low: 10, close: 10 });
  expect(grown).toMatchObject({ volume: 25, state: "forming" });
  expect(grown).not.toHaveProperty("watchedFromMs");
});

test("a bar that had begun before says since when it is seen, until the server tells its beginning", () => {
  const forming = new Forming(KEY, "15m");
  forming.rebase(bar(OPEN - 3 * FIVE), null);
  forming.trade(trade(11, OPEN + 6 * MINUTE_MS, 5_000));
  expect(forming.bars[0]).toMatchObject({ open: 11, watchedFromMs: OPEN + 6 * MINUTE_MS });
  const part = bar(OPEN, { open: 8, high: 20, low: 7, volume: 400, dayVolume: 4_900 });
  forming.rebase(bar(OPEN - 3 * FIVE), part);
  const [grown] = forming.bars;
  expect(grown).toMatchObject({ open: 8, high: 20, low: 7, close: 11, volume: 500 });
  expect(grown).not.toHaveProperty("watchedFromMs");
});

test("minutes that the page did not see complete the bar", () => {
  const forming = new Forming(KEY, "5m");
  forming.rebase(bar(OPEN - FIVE), null);
  forming.trade(trade(11, OPEN + 3 * MINUTE_MS));
  forming.minute(bar(OPEN + MINUTE_MS, { open: 5, high: 30, low: 4, close: 6 }));
  expect(forming.bars[0]).toHaveProperty("watchedFromMs");
  forming.complete();
  expect(forming.bars).toMatchObject([{ open: 5, high: 30, low: 4, close: 11 }]);
  expect(forming.bars[0]).not.toHaveProperty("watchedFromMs");
});

test("a bar that is over stays provisional until it is stored", () => {
  const forming = new Forming(KEY, "5m");
  forming.rebase(bar(OPEN - FIVE), null);
  forming.trade(trade(11, OPEN, 10));
  forming.trade(trade(12, OPEN + FIVE, 30));
  forming.trade(trade(9, OPEN + 2_000, 30));
  expect(forming.bars).toMatchObject([
    { start: OPEN, state: "forming", close: 11 },
    { start: OPEN + FIVE, volume: 20 },
  ]);
  forming.rebase(bar(OPEN), null);
  expect(forming.bars).toMatchObject([{ start: OPEN + FIVE }]);
});

test("the first trade of a day starts with no volume", () => {
  const forming = new Forming(KEY, "1m");
  forming.rebase(bar(OPEN - 86_400_000, { dayVolume: null }), null);
  forming.trade(trade(11, OPEN, 10));
  expect(forming.bars).toMatchObject([{ volume: 10 }]);
});

test("the volume is known once the bar before is, although trades came first", () => {
  const forming = new Forming(KEY, "5m");
  forming.trade(trade(11, OPEN + FIVE, 1_040));
  expect(forming.bars).toMatchObject([{ volume: null }]);
  forming.rebase(bar(OPEN, { dayVolume: 1_000 }), null);
  expect(forming.bars).toMatchObject([{ volume: 40 }]);
});

test("the volume of a candle that forms is Upstox's and what was traded since", () => {
  const forming = new Forming(KEY, "1m");
  forming.trade(trade(11, OPEN + 5_000, 700));
  expect(forming.bars).toMatchObject([{ volume: null }]);
  forming.rebase(null, bar(OPEN, { volume: 60, dayVolume: null, state: "forming" }));
  forming.trade(trade(11, OPEN + 6_000, 720));
  expect(forming.bars).toMatchObject([{ volume: 80 }]);
});

test("nothing is kept over an interruption, in which trades may have been missed", () => {
  const forming = new Forming(KEY, "5m");
  forming.rebase(bar(OPEN - FIVE), null);
  forming.trade(trade(11, OPEN, 10));
  forming.interrupt();
  expect(forming.bars).toEqual([]);
  forming.trade(trade(11, OPEN + MINUTE_MS, 40));
  expect(forming.bars).toMatchObject([{ watchedFromMs: OPEN + MINUTE_MS }]);
});

test("an hour begins where the hours of the session do", () => {
  const forming = new Forming(KEY, "1h");
  const nine = OPEN - 15 * MINUTE_MS;
  forming.rebase(bar(nine), null);
  forming.trade(trade(11, nine + 61 * MINUTE_MS));
  expect(forming.bars).toMatchObject([{ start: nine + 60 * MINUTE_MS }]);
});

const HOUR = 60 * MINUTE_MS;
/** 18:00 IST, when the session of another day, as that of Muhurat trading, starts. */
const EVENING = OPEN + 525 * MINUTE_MS;

test("an hour that began before the session's start was known is moved to the server's", () => {
  const forming = new Forming(KEY, "1h");
  forming.rebase(bar(OPEN - 18 * HOUR), null);
  forming.trade(trade(20, EVENING + MINUTE_MS, 10));
  expect(forming.bars).toMatchObject([{ start: EVENING - 45 * MINUTE_MS }]);
  const part = bar(EVENING, { volume: 15, dayVolume: 15, state: "forming" });
  forming.rebase(bar(OPEN - 18 * HOUR), part);
  forming.trade(trade(30, EVENING + 6 * MINUTE_MS, 25));
  expect(forming.bars).toMatchObject([{ start: EVENING, high: 30, low: 9, close: 30, volume: 25 }]);
});

test("an hour grows on when the server's first one of the day comes late", () => {
  const forming = new Forming(KEY, "1h");
  forming.rebase(bar(OPEN - 18 * HOUR), null);
  forming.trade(trade(20, EVENING + MINUTE_MS, 10));
  forming.trade(trade(21, EVENING + 16 * MINUTE_MS, 20));
  forming.rebase(bar(OPEN - 18 * HOUR), bar(EVENING, { volume: 15, dayVolume: 15 }));
  forming.trade(trade(30, EVENING + 17 * MINUTE_MS, 25));
  expect(forming.bars).toMatchObject([{ start: EVENING, open: 10, close: 30, volume: 25 }]);
});

test("an hour that began before the session is over once the server has stored it", () => {
  const forming = new Forming(KEY, "1h");
  forming.trade(trade(20, EVENING - 7 * MINUTE_MS, 10));
  forming.rebase(bar(EVENING - HOUR), bar(EVENING));
  expect(forming.bars).toMatchObject([{ start: EVENING }]);
});

test("the hours of an evening session do not count the next day", () => {
  const forming = new Forming(KEY, "1h");
  const last = bar(EVENING - 24 * HOUR);
  forming.rebase(last, null);
  forming.trade(trade(11, OPEN + 5 * MINUTE_MS, 10));
  expect(forming.bars).toMatchObject([{ start: OPEN }]);
  forming.rebase(last, bar(OPEN, { state: "forming" }));
  forming.trade(trade(13, OPEN + 6 * MINUTE_MS, 20));
  expect(forming.bars).toMatchObject([{ start: OPEN, close: 13 }]);
});

test("an index has no volume", () => {
  const forming = new Forming(KEY, "5m");
  forming.rebase(bar(OPEN - FIVE, { volume: null, dayVolume: null }), null);
  forming.trade(trade(11, OPEN));
  forming.trade(trade(12, OPEN + 1_000));
  expect(forming.bars).toMatchObject([{ volume: null, close: 12 }]);
});
