import { beforeEach, expect, test } from "vitest";
import type { Bars, Gaps, Range } from "../../api/market.ts";
import { NoAnswer } from "../../api/problems.ts";
import { ManualClock } from "../../testing/manual_clock.ts";
import { DAY_MS } from "../../ui/ist.ts";
import type { Bar, Gap, StoredBar } from "./bars.ts";
import { History, MOST_BARS } from "./history.ts";
import { MINUTE_MS } from "./intervals.ts";

const FIVE = 5 * MINUTE_MS;
const clock = new ManualClock();
const NOW = clock.now();
const START = Math.floor(NOW / FIVE) * FIVE - FIVE;

const stored = (start: number, more: Partial<StoredBar> = {}): StoredBar => ({
  ...{ start, end: start + FIVE, open: 1, high: 1, low: 1, close: 1 },
  ...{ state: "complete", ticks: 1, ...more },
});
const streamed = (start: number): Bar => ({
  ...{ start, open: 2, high: 2, low: 2, close: 2, volume: null, dayVolume: null },
  ...{ state: "complete", silentMs: 0, ticks: 1 },
});

let ranges: Range[];
let gaps: Gap[];
/** The answers to come: bars, or an error. */
let answers: (Partial<Bars> | Error)[];

const calls = {
  bars(range: Range): Promise<Bars> {
    ranges.push(range);
    const answer = answers.shift() ?? {};
    if (answer instanceof Error) return Promise.reject(answer);
    return Promise.resolve({ key: "A", interval: "5m", bars: [], ...answer });
  },
  gaps: (): Promise<Gaps> => Promise.resolve({ key: "A", gaps }),
};
const opened = (): History => new History("A", "5m", calls, clock);
const starts = (history: History) => history.bars.value.map(({ start }) => start);

beforeEach(() => {
  ranges = [];
  gaps = [];
  answers = [];
});

test("the newest bars come first, and what is not over is kept apart", async () => {
  const history = opened();
  answers = [{ bars: [stored(START - FIVE), stored(START, { state: "forming" })] }];
  await history.open();
  expect(starts(history)).toEqual([START - FIVE]);
  expect(history.part.value).toMatchObject({ start: START, state: "forming" });
  expect(history.state.value).toEqual({ kind: "ready" });
  expect(ranges).toMatchObject([{ toMs: null }]);
});

test("an answer of several pages is read to its end", async () => {
  const history = opened();
  const unfetched = { from_ms: 0, to_ms: START };
  answers = [{ bars: [], next: "more", unfetched }, { bars: [stored(START)] }];
  await history.open();
  expect(ranges.map(({ cursor }) => cursor)).toEqual([null, "more"]);
  expect(starts(history)).toEqual([START]);
  expect(history.missingToMs.value).toBeNull();
});

test("it is said until when bars are missing if Upstox is away", async () => {
  const history = opened();
  answers = [{ bars: [stored(START)], unfetched: { from_ms: 0, to_ms: START } }];
  await history.open();
  expect(history.missingToMs.value).toBe(START);
});

test("over a time without bars, such as holidays, more and more time is asked for", async () => {
  const history = opened();
  const before = START - 30 * DAY_MS;
  answers = [{}, {}, { bars: [stored(before)] }];
  await history.open();
  expect(starts(history)).toEqual([before]);
  const spans = ranges.map(({ fromMs, toMs }) => Math.round(((toMs ?? NOW) - fromMs) / DAY_MS));
  expect(spans).toEqual([7, 14, 28]);
  expect(ranges[1]?.toMs).toBe(ranges[0]?.fromMs);
});

test("earlier bars are asked for once at a time, up to where the first ones begin", async () => {
  const history = opened();
  answers = [{ bars: [stored(START)] }, { bars: [stored(START - 8 * DAY_MS)] }];
  await history.open();
  await Promise.all([history.earlier(), history.earlier()]);
  expect(starts(history)).toEqual([START - 8 * DAY_MS, START]);
  expect(ranges).toHaveLength(2);
  expect(ranges[1]?.toMs).toBe(ranges[0]?.fromMs);
});

test("there is an end of time, and of a chart", async () => {
  const history = new History("A", "1d", calls, clock);
  await history.open();
  expect(history.state.value).toEqual({ kind: "whole" });
  const full = opened();
  const many = Array.from({ length: MOST_BARS }, (_, n) => stored(START - (MOST_BARS - n) * FIVE));
  answers = [{ bars: many }];
  await full.open();
  expect(full.state.value).toEqual({ kind: "full" });
});

test("a failure is kept until the user asks again", async () => {
  const history = opened();
  const error = new NoAnswer("no");
  answers = [error, { bars: [stored(START)] }];
  await history.open();
  expect(history.state.value).toEqual({ kind: "failed", error });
  await history.earlier();
  expect(ranges).toHaveLength(1);
  await history.again();
  expect(history.state.value).toEqual({ kind: "ready" });
  expect(starts(history)).toEqual([START]);
});

test("bars of the stream join the stored ones, also those that come first", async () => {
  const history = opened();
  answers = [{ bars: [stored(START - FIVE), stored(START)] }];
  history.put(streamed(START));
  await history.open();
  expect(history.bars.value).toMatchObject([{ close: 1 }, { close: 2 }]);
  history.put(streamed(START + FIVE));
  history.put(streamed(START - 900 * DAY_MS));
  expect(starts(history)).toEqual([START - FIVE, START, START + FIVE]);
});

test("a refresh reads from the last bar on, and once more if it was asked for meanwhile", async () => {
  const history = opened();
  answers = [{ bars: [stored(START)] }];
  await history.open();
  answers = [{ bars: [stored(START, { close: 3 }), stored(START + FIVE)] }];
  await Promise.all([history.refresh(), history.refresh(), history.refresh()]);
  expect(ranges.slice(1).map(({ fromMs }) => fromMs)).toEqual([START, START + FIVE]);
  expect(history.bars.value).toMatchObject([{ close: 3 }, { start: START + FIVE }]);
});

test("an open gap is replaced when it has grown or is repaired", async () => {
  const history = opened();
  answers = [{ bars: [stored(START)] }];
  gaps = [{ from_ms: START, to_ms: START + 1, reason: "feed_away", state: "open" }];
  await history.open();
  gaps = [{ from_ms: START, to_ms: START + 9, reason: "feed_away", state: "repaired" }];
  await history.refresh();
  expect(history.gaps.value).toEqual(gaps);
});

test("what is closed asks for nothing, and reports nothing", async () => {
  const history = opened();
  answers = [{ bars: [stored(START)] }, new NoAnswer("aborted")];
  await history.open();
  history.close();
  await history.refresh();
  expect(ranges).toHaveLength(1);
  expect(history.state.value).toEqual({ kind: "ready" });
});
