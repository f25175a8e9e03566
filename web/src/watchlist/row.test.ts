import { beforeEach, describe, expect, test } from "vitest";
import type { Freshness } from "../market/freshness.ts";
import type { Quote } from "../stream/protocol.ts";
import type { KeyOutcome } from "../stream/subscriptions.ts";
import { Row } from "./row.ts";

const AT = Date.UTC(2026, 10, 27, 8, 35, 9);
const QUOTE: Quote = {
  key: "NSE_EQ|A",
  epoch: 1,
  seq: 1,
  ts: AT,
  rt: 0,
  ltt: AT,
  ltp: 1_02_500.5,
  cp: 1_00_000,
  ltq: 1_200,
  volume: 12_34_567,
  bid: 1_02_500,
  ask: 1_02_501,
};
const FRESH: Freshness = { kind: "fresh" };

let row: Row;

beforeEach(() => {
  row = new Row(1_500);
  row.isInView = true;
});

function paint(
  quote: Quote | null,
  freshness = FRESH,
  outcome: KeyOutcome = "live",
  nowMs = 0,
): void {
  const held = quote === null ? undefined : { quote, receivedMs: 0, isBeforeCut: false };
  row.paint(held, freshness, outcome, nowMs);
}

const texts = () =>
  Object.fromEntries(Object.entries(row.cells).map(([name, { value }]) => [name, value]));

describe("a row", () => {
  test("shows what the quote has, with the change since the previous close", () => {
    paint(QUOTE);
    expect(texts()).toEqual({
      ltp: "1,02,500.50",
      change: "+2,500.50",
      percent: "+2.50\u00a0%",
      volume: "12.35\u00a0L",
      ltq: "1,200",
      bid: "1,02,500.00",
      ask: "1,02,501.00",
      range: "–",
      time: "14:05:09",
    });
    expect(row.tone.value).toBe("up");
  });

  test("colours nothing that has no sign", () => {
    paint({ ...QUOTE, ltp: 1_00_000.1 });
    expect(texts()).toMatchObject({ change: "+0.10", percent: "0.00\u00a0%" });
    expect([row.tone.value, row.percentTone.value]).toEqual(["up", ""]);
  });

  test("shows the day's range when the gateway sends it", () => {
    paint({ ...QUOTE, low: 99, high: 101.5 } as Quote);
    expect(row.cells.range.value).toBe("99.00 – 101.50");
  });

  test("shows unknown values as unknown, as an index has them", () => {
    paint({ key: "NSE_INDEX|X", epoch: 1, seq: 1, ts: AT, rt: 0, ltp: 24_000 });
    expect(texts()).toMatchObject({
      ltp: "24,000.00",
      change: "–",
      volume: "–",
      bid: "–",
      ltq: "–",
    });
    expect(row.tone.value).toBe("");
  });

  test("says since when a stale price is stale, and keeps showing it", () => {
    paint(QUOTE, { kind: "stale", sinceMs: AT + 1_000 });
    expect(texts()).toMatchObject({ ltp: "1,02,500.50", time: "stale since 14:05:10" });
    expect(row.age.value).toBe("stale");
  });

  test("says that its market is closed", () => {
    paint(QUOTE, { kind: "closed" });
    expect(row.cells.time.value).toBe("closed 14:05:09");
  });

  test("without a quote says why there is none", () => {
    paint(null, { kind: "unknown" }, "no_capacity");
    expect(row.cells.time.value).toBe("the feed is full");
  });

  test("flashes when the price changes, at most each 300 ms, and not for its first price", () => {
    paint(QUOTE);
    expect(row.flash.value).toBe("");
    paint({ ...QUOTE, ltp: 1 }, FRESH, "live", 1_000);
    expect(row.flash.value).toBe("flash-a");
    paint({ ...QUOTE, ltp: 2 }, FRESH, "live", 1_100);
    expect(row.flash.value).toBe("flash-a");
    paint({ ...QUOTE, ltp: 3 }, FRESH, "live", 1_400);
    expect(row.flash.value).toBe("flash-b");
  });

  test("does not flash for a change of something else or of a stale price", () => {
    paint(QUOTE);
    paint({ ...QUOTE, bid: 5 }, FRESH, "live", 1_000);
    paint({ ...QUOTE, ltp: 5 }, { kind: "stale", sinceMs: 0 }, "live", 2_000);
    expect(row.flash.value).toBe("");
  });

  test("out of view does not flash, and follows after its rest", () => {
    paint(QUOTE);
    row.isInView = false;
    paint({ ...QUOTE, ltp: 1 }, FRESH, "live", 1_499);
    expect(row.cells.ltp.value).toBe("1,02,500.50");
    paint({ ...QUOTE, ltp: 2 }, FRESH, "live", 1_500);
    expect(row.cells.ltp.value).toBe("2.00");
    expect(row.flash.value).toBe("");
  });

  test("out of view says at once that its price is stale", () => {
    paint(QUOTE);
    row.isInView = false;
    paint({ ...QUOTE, ltp: 1 }, { kind: "stale", sinceMs: 0 }, "live", 1);
    expect([row.age.value, row.cells.ltp.value]).toEqual(["stale", "1.00"]);
  });

  test("that comes into view shows the newest price at once", () => {
    paint(QUOTE);
    row.isInView = false;
    paint({ ...QUOTE, ltp: 1 }, FRESH, "live", 1);
    row.isInView = true;
    paint({ ...QUOTE, ltp: 1 }, FRESH, "live", 2);
    expect(row.cells.ltp.value).toBe("1.00");
  });
});
