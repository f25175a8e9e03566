import { beforeEach, expect, test } from "vitest";
import type { Bars, Gaps, Range } from "../../api/market.ts";
import type { Quote, ServerMessage } from "../../stream/protocol.ts";
import { ManualClock, settled } from "../../testing/manual_clock.ts";
import type { Item, StoredBar } from "./bars.ts";
import { Chart } from "./chart.ts";
import { type Interval, MINUTE_MS } from "./intervals.ts";

const FIVE = 5 * MINUTE_MS;
const OPEN = Date.UTC(2026, 10, 27, 3, 45);
const clock = new ManualClock();

const stored = (start: number, more: Partial<StoredBar> = {}): StoredBar => ({
  ...{ start, end: start + FIVE, open: 1, high: 1, low: 1, close: 1, vtt: 100 },
  ...{ state: "complete", ticks: 1, ...more },
});
const quote = (ltp: number, ltt: number, volume: number): Quote => ({
  ...{ key: "A", epoch: 1, seq: 1, ts: ltt, rt: ltt, ltp, ltt, volume },
});
const quotes = (...data: Quote[]): ServerMessage => ({ type: "quotes", data });

let asked: (Range & { interval: string })[];
let answers: Record<string, StoredBar[]>;
let current: Quote | undefined;
let reported: unknown[];
let failure: Error | null;
let followed: boolean;

const calls = {
  bars(range: Range, interval: string): Promise<Bars> {
    asked.push({ ...range, interval });
    if (failure !== null) return Promise.reject(failure);
    return Promise.resolve({ key: "A", interval: "5m", bars: answers[interval] ?? [] });
  },
  gaps: (): Promise<Gaps> => Promise.resolve({ key: "A", gaps: [] }),
};
const chartOf = (interval: Interval): Chart =>
  new Chart("A", interval, {
    ...{ calls, clock, quote: () => current, isFollowed: () => followed },
    report: (trouble) => reported.push(trouble),
  });
const shown = (chart: Chart): readonly Item[] => chart.takeShown()?.items ?? [];

beforeEach(() => {
  [asked, answers, current, reported, failure] = [[], {}, undefined, [], null];
  followed = true;
});

test("stored bars are followed by the forming one, which alone is drawn again", async () => {
  const chart = chartOf("5m");
  answers = { "5m": [stored(OPEN)] };
  await chart.open();
  expect(shown(chart)).toMatchObject([{ start: OPEN }]);
  chart.received(quotes(quote(5, OPEN + FIVE, 110), { ...quote(9, OPEN + FIVE, 1), key: "B" }));
  expect(chart.takeShown()).toMatchObject({
    isOnlyLast: false,
    items: [{}, { close: 5, volume: 10 }],
  });
  expect(chart.takeShown()).toBeNull();
  chart.received(quotes(quote(6, OPEN + FIVE + 1, 130)));
  expect(chart.takeShown()).toMatchObject({
    isOnlyLast: true,
    items: [{}, { close: 6, volume: 30 }],
  });
});

test("a stored bar of the stream takes the place of the provisional one", async () => {
  const chart = chartOf("5m");
  answers = { "5m": [stored(OPEN)] };
  await chart.open();
  chart.received(quotes(quote(5, OPEN + FIVE, 110)));
  const { end: _, state: __, ...bar } = stored(OPEN + FIVE, { close: 7 });
  const more = { key: "A", epoch: 1, atp: null, ltq: null, ltt: null, oi: null, silent_ms: 0 };
  chart.received({
    type: "bars",
    data: [{ ...bar, ...more, volume: 3, vtt: 103, state: "complete" }],
  });
  expect(shown(chart)).toMatchObject([{}, { start: OPEN + FIVE, close: 7, state: "complete" }]);
});

test("minutes before the page was opened are read for the bar that forms", async () => {
  const chart = chartOf("5m");
  current = quote(5, OPEN + FIVE + 2 * MINUTE_MS, 140);
  answers = { "5m": [stored(OPEN)], "1m": [stored(OPEN + FIVE, { open: 2, high: 8, low: 1 })] };
  await chart.open();
  expect(shown(chart)).toMatchObject([{}, { open: 2, high: 8, low: 1, close: 5 }]);
  expect(asked.at(-1)).toMatchObject({ interval: "1m", fromMs: OPEN });
});

test("a longer bar is read again when five minutes of it are stored", async () => {
  const chart = chartOf("15m");
  answers = { "15m": [stored(OPEN)] };
  await chart.open();
  const count = asked.length;
  const { end: _, ...bar } = stored(OPEN + 3 * FIVE);
  const more = { key: "A", epoch: 1, atp: null, ltq: null, ltt: null, oi: null, silent_ms: 0 };
  chart.received({
    type: "bars",
    data: [{ ...bar, ...more, volume: 3, vtt: 1, state: "complete" }],
  });
  await settled();
  expect(asked.slice(count)).toMatchObject([{ interval: "15m", fromMs: OPEN }]);
});

test("a candle is a bar of a minute, and three of them make the server's next one", async () => {
  const candle = (start: number): ServerMessage => ({
    type: "candles",
    data: [{ key: "A", start, open: 1, high: 2, low: 1, close: 2, volume: 3, epoch: 1, ts: start }],
  });
  const one = chartOf("1m");
  answers = { "1m": [stored(OPEN)], "3m": [stored(OPEN)] };
  await one.open();
  one.received(candle(OPEN + MINUTE_MS));
  expect(shown(one)).toMatchObject([{}, { start: OPEN + MINUTE_MS, volume: 3 }]);
  const three = chartOf("3m");
  await three.open();
  const count = asked.length;
  three.received(candle(OPEN + MINUTE_MS));
  three.received(candle(OPEN + 2 * MINUTE_MS));
  await settled();
  expect(asked.slice(count)).toMatchObject([{ interval: "3m" }]);
});

test("after a cut nothing provisional is left, and the newest bars are read again", async () => {
  const chart = chartOf("5m");
  answers = { "5m": [stored(OPEN)] };
  await chart.open();
  chart.received(quotes(quote(5, OPEN + FIVE, 110)));
  chart.cut();
  expect(shown(chart)).toMatchObject([{ start: OPEN }]);
  answers = { "5m": [stored(OPEN), stored(OPEN + FIVE)] };
  chart.opened();
  await settled();
  expect(shown(chart)).toMatchObject([{}, { start: OPEN + FIVE, state: "complete" }]);
  expect(reported).toEqual([]);
});

test("what was asked for before a cut makes nothing provisional after it", async () => {
  const chart = chartOf("5m");
  current = quote(5, OPEN + FIVE, 110);
  answers = {
    "1m": [stored(OPEN + FIVE, { end: OPEN + FIVE + MINUTE_MS })],
    "5m": [stored(OPEN), stored(OPEN + FIVE, { state: "forming", high: 2 })],
  };
  const opening = chart.open();
  chart.cut();
  await opening;
  expect(shown(chart)).toMatchObject([{ start: OPEN }]);
  chart.opened();
  await settled();
  expect(shown(chart)).toMatchObject([{}, { start: OPEN + FIVE, state: "forming", high: 2 }]);
});

test("bars that could not be read are read again when the stream is back", async () => {
  const chart = chartOf("5m");
  failure = new Error("no answer");
  await chart.open();
  expect(chart.history.state.value).toMatchObject({ kind: "failed" });
  failure = null;
  answers = { "5m": [stored(OPEN)] };
  chart.opened();
  await settled();
  expect(chart.history.state.value).toEqual({ kind: "ready" });
  expect(shown(chart)).toMatchObject([{ start: OPEN }]);
});

const status = (state: "stale" | "live"): ServerMessage => ({
  type: "status",
  data: [{ state, since: 1, epoch: 1, at: 1 }],
});

test("a chart that is opened while the feed is away has nothing provisional until it is back", async () => {
  followed = false;
  current = quote(5, OPEN + FIVE, 110);
  answers = { "5m": [stored(OPEN), stored(OPEN + FIVE, { state: "forming" })] };
  const chart = chartOf("5m");
  await chart.open();
  expect(shown(chart)).toMatchObject([{ start: OPEN }]);
  chart.received(status("stale"));
  expect(chart.takeShown()).toBeNull();
  chart.received(status("live"));
  await settled();
  expect(shown(chart)).toMatchObject([{}, { start: OPEN + FIVE, state: "forming" }]);
});

test("a stream that comes back while the feed is away makes nothing provisional", async () => {
  const chart = chartOf("5m");
  answers = { "5m": [stored(OPEN)] };
  await chart.open();
  chart.received(status("stale"));
  chart.cut();
  answers = { "5m": [stored(OPEN), stored(OPEN + FIVE, { state: "forming" })] };
  chart.opened();
  chart.received(status("stale"));
  await settled();
  expect(shown(chart)).toMatchObject([{ start: OPEN }]);
});

test("a feed that is cut is as a stream that is", async () => {
  const chart = chartOf("5m");
  answers = { "5m": [stored(OPEN)] };
  await chart.open();
  chart.received(quotes(quote(5, OPEN + FIVE, 110)));
  chart.received(status("stale"));
  expect(shown(chart)).toHaveLength(1);
  const count = asked.length;
  chart.received(status("live"));
  chart.received(status("live"));
  await settled();
  expect(asked.slice(count)).toMatchObject([{ interval: "5m", fromMs: OPEN }]);
});
