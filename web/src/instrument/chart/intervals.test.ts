import { expect, test } from "vitest";
import { barStart } from "./intervals.ts";

/** An IST time of 2026-11-27, or of the day before. */
const at = (hour: number, minute: number, day = 27): number =>
  Date.UTC(2026, 10, day, hour, minute - 330);
const SHARE = "NSE_EQ|INE002A01018";

test("hours begin with the session that another bar of the day shows", () => {
  expect(barStart(SHARE, "1h", at(18, 5), at(18, 0))).toBe(at(18, 0));
  expect(barStart(SHARE, "1h", at(19, 59), at(18, 0))).toBe(at(19, 0));
  expect(barStart(SHARE, "1h", at(10, 20), at(9, 15))).toBe(at(10, 15));
  expect(barStart(SHARE, "15m", at(18, 26), at(18, 10))).toBe(at(18, 25));
});

test("a bar of another day does not show when hours begin", () => {
  expect(barStart(SHARE, "1h", at(9, 20), at(18, 0, 26))).toBe(at(9, 15));
  expect(barStart("MCX_FO|1", "1h", at(9, 20), at(9, 15, 26))).toBe(at(9, 0));
  expect(barStart(SHARE, "15m", at(9, 20), at(18, 10, 26))).toBe(at(9, 15));
});

test.each(["NSE_EQ|A", "NSE_INDEX|A", "NSE_FO|A", "BSE_EQ|A", "BSE_FO|A"])(
  "usually, hours of %s begin at 09:15",
  (key) => {
    expect(barStart(key, "1h", at(9, 20))).toBe(at(9, 15));
    expect(barStart(key, "1h", at(9, 14))).toBe(at(8, 15));
    expect(barStart(key, "15m", at(9, 20))).toBe(at(9, 15));
  },
);

test.each(["MCX_FO|A", "NCD_FO|A", "BCD_FO|A", "NSE_COM|A"])(
  "usually, hours of %s begin at 09:00",
  (key) => {
    expect(barStart(key, "1h", at(9, 20))).toBe(at(9, 0));
    expect(barStart(key, "15m", at(9, 20))).toBe(at(9, 15));
  },
);

test("short bars are aligned to the Unix epoch, days to 00:00 IST", () => {
  for (const [interval, length] of [
    ["1m", 1],
    ["3m", 3],
    ["5m", 5],
  ] as const)
    expect(barStart(SHARE, interval, at(9, 29)) % (length * 60_000)).toBe(0);
  expect(barStart(SHARE, "1d", at(0, 1), at(18, 0))).toBe(at(0, 0));
});
