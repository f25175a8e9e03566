import { describe, expect, test } from "vitest";
import {
  age,
  compact,
  dateTime,
  percent,
  price,
  quantity,
  signed,
  timeOfDay,
  UNKNOWN,
  withGroups,
} from "./format.ts";

describe("numbers", () => {
  test("are grouped by three digits and then by two", () => {
    expect(price(999.5)).toBe("999.50");
    expect(price(1_000)).toBe("1,000.00");
    expect(price(123_456_789.5)).toBe("12,34,56,789.50");
    expect(quantity(1_00_00_00_000)).toBe("1,00,00,00,000");
  });

  test("agree with the browser's format for India", () => {
    const intl = new Intl.NumberFormat("en-IN", {
      minimumFractionDigits: 2,
      maximumFractionDigits: 2,
    });
    for (const value of [0, 0.05, 7, 99.99, 100, 99_999.99, 1e5, 12_34_567.89, 9_99_99_999.99]) {
      expect(price(value)).toBe(intl.format(value));
    }
  });

  test("that are missing are unknown and not zero", () => {
    for (const missing of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(price(missing)).toBe(UNKNOWN);
    }
    expect(compact(null)).toBe(UNKNOWN);
    expect(percent(undefined)).toBe(UNKNOWN);
  });

  test("have a real minus sign, and none if they round to zero", () => {
    expect(price(-1_234.5)).toBe("−1,234.50");
    expect(price(-0.001)).toBe("0.00");
    expect(signed(-0.001)).toBe("0.00");
    expect(signed(0.001)).toBe("0.00");
  });

  test("that are changes have a sign", () => {
    expect(signed(12.3)).toBe("+12.30");
    expect(signed(-12.3)).toBe("−12.30");
    expect(percent(1.256)).toBe("+1.26\u00a0%");
  });

  test("that are large are in lakh and crore", () => {
    expect(compact(99_999)).toBe("99,999");
    expect(compact(12_34_567)).toBe("12.35\u00a0L");
    expect(compact(99_99_999)).toBe("1.00\u00a0Cr");
    expect(compact(1_234_500_000)).toBe("123.45\u00a0Cr");
  });
});

describe("times", () => {
  test("are those of India, whatever the zone of the machine is", () => {
    expect(timeOfDay(Date.UTC(2026, 10, 27, 3, 45, 0))).toBe("09:15:00");
    expect(timeOfDay(Date.UTC(2026, 10, 27, 18, 29, 59, 999))).toBe("23:59:59");
    expect(timeOfDay(Date.UTC(2026, 10, 27, 18, 30, 0))).toBe("00:00:00");
    expect(timeOfDay(undefined)).toBe(UNKNOWN);
  });

  test("have a day if they may be of another one", () => {
    expect(dateTime("2026-11-27T18:30:00Z")).toBe("28 Nov 2026 00:00");
    expect([dateTime(null), dateTime("soon")]).toEqual([UNKNOWN, UNKNOWN]);
  });

  test("that have passed are ages, never negative", () => {
    expect(age(-50)).toBe("0\u00a0s");
    expect(age(59_999)).toBe("59\u00a0s");
    expect(age(61_000)).toBe("1\u00a0min");
    expect(age(2 * 3_600_000)).toBe("2\u00a0h");
  });
});

test("long numbers of a text are grouped, and ids stay", () => {
  expect(withGroups("599860000.00 is above 5000000, of 12345.67 and 1234 in 261130-8c10")).toBe(
    "59,98,60,000.00 is above 50,00,000, of 12,345.67 and 1234 in 261130-8c10",
  );
});

test("a day and its time are those of India", () => {
  expect(dateTime(Date.UTC(2026, 10, 27, 3, 45))).toBe("27 Nov 2026 09:15");
  expect(dateTime(Date.UTC(2026, 11, 31, 20, 0))).toBe("01 Jan 2027 01:30");
});
