import { expect, test } from "vitest";
import { DAY_MS } from "../../ui/ist.ts";
import { type Bar, fromStored, type Gap, gapAt, isBar, merged, withSlots } from "./bars.ts";
import { MINUTE_MS } from "./intervals.ts";

const OPEN = Date.UTC(2026, 10, 27, 3, 45);
const FIVE = 5 * MINUTE_MS;
const bar = (start: number, close = 1): Bar => ({
  ...{ start, open: 1, high: 1, low: 1, close, volume: null, dayVolume: null },
  ...{ state: "complete", silentMs: 0, ticks: 1 },
});
const starts = (items: readonly { readonly start: number }[]) => items.map(({ start }) => start);

test("a field that the server leaves out is unknown, and not zero", () => {
  const stored = { start: 1, end: 2, open: 1, high: 1, low: 1, close: 1 };
  expect(fromStored({ ...stored, state: "complete", ticks: 1 })).toMatchObject({
    ...{ volume: null, dayVolume: null, silentMs: 0 },
  });
});

test("pages come before, after and over what is there, and the newer bar counts", () => {
  expect(starts(merged([bar(3)], [bar(1), bar(2)]))).toEqual([1, 2, 3]);
  expect(starts(merged([bar(1)], [bar(2)]))).toEqual([1, 2]);
  expect(merged([bar(1), bar(2, 5), bar(3)], [bar(2, 6)])).toMatchObject([{}, { close: 6 }, {}]);
  const same = [bar(1)];
  expect(merged(same, [])).toBe(same);
});

test("times of a day without a bar are empty slots, and the night is none", () => {
  const bars = [bar(OPEN), bar(OPEN + 3 * FIVE), bar(OPEN + DAY_MS)];
  const items = withSlots(bars, "5m");
  expect(starts(items)).toEqual([
    OPEN,
    OPEN + FIVE,
    OPEN + 2 * FIVE,
    OPEN + 3 * FIVE,
    OPEN + DAY_MS,
  ]);
  expect(items.map(isBar)).toEqual([true, false, false, true, true]);
});

test("days have no slots: a weekend is no gap", () => {
  const bars = [bar(OPEN), bar(OPEN + 3 * DAY_MS)];
  expect(withSlots(bars, "1d")).toEqual(bars);
});

test("a gap is found at each bar that it touches, an open one first", () => {
  const gap = (from: number, to: number, state: Gap["state"]): Gap => ({
    ...{ from_ms: OPEN + from, to_ms: OPEN + to, state, reason: "feed_away" },
  });
  const gaps = [gap(0, FIVE, "repaired"), gap(FIVE - 1, FIVE, "open")];
  expect(gapAt(gaps, OPEN, "5m")?.state).toBe("open");
  expect(gapAt(gaps, OPEN + FIVE, "5m")).toBeNull();
});
