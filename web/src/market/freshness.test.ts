import { describe, expect, test } from "vitest";
import type { FeedStatus } from "../stream/protocol.ts";
import { freshness, isPathGood, type Path } from "./freshness.ts";
import type { Held } from "./quotes.ts";

const KEY = "NSE_EQ|A";
const NOW_MS = 100_000;
const LIVE: FeedStatus = { state: "live", since: 0, epoch: 1, segments: { NSE_EQ: "NORMAL_OPEN" } };
const GOOD: Path = {
  cutSinceMs: null,
  status: LIVE,
  statusMs: NOW_MS - 1_000,
  isGatewayCurrent: true,
  goodMs: NOW_MS - 1_000,
};
const HELD: Held = {
  quote: { key: KEY, epoch: 1, seq: 1, ts: 0, rt: 0 },
  receivedMs: NOW_MS - 5_000,
  isBeforeCut: false,
};

const of = (path: Partial<Path>, held: Held | undefined = HELD) =>
  freshness(KEY, held, "live", { ...GOOD, ...path }, NOW_MS);

describe("a price", () => {
  test("is fresh while the feed is live, also if the instrument has not traded for a while", () => {
    expect(of({})).toEqual({ kind: "fresh" });
  });

  test("is ageing when a state of the feed is overdue", () => {
    expect(of({ statusMs: NOW_MS - 3_500 })).toEqual({ kind: "ageing" });
  });

  test("is stale when three states of the feed are missing", () => {
    const goodMs = NOW_MS - 6_000;
    expect(of({ statusMs: goodMs, goodMs })).toEqual({ kind: "stale", sinceMs: NOW_MS - 5_000 });
  });

  test("is stale since the cut", () => {
    const goodMs = NOW_MS - 4_000;
    expect(of({ cutSinceMs: goodMs, goodMs })).toEqual({ kind: "stale", sinceMs: goodMs });
  });

  test("is stale while the gateway or the feed is cut off", () => {
    expect(of({ isGatewayCurrent: false }).kind).toBe("stale");
    for (const state of ["connecting", "stale", "unauthorised", "failing_over"] as const) {
      expect(of({ status: { ...LIVE, state } }).kind).toBe("stale");
    }
    expect(of({ status: null }).kind).toBe("stale");
  });

  test("that was held before a cut is stale although the way is good again", () => {
    expect(of({}, { ...HELD, isBeforeCut: true }).kind).toBe("stale");
  });

  test("is stale if the feed reports the instrument as silent", () => {
    expect(of({ status: { ...LIVE, stale: [KEY] } }).kind).toBe("stale");
  });

  test("is stale if the feed does not deliver the instrument", () => {
    expect(freshness(KEY, HELD, "no_capacity", GOOD, NOW_MS).kind).toBe("stale");
  });

  test("is closed with its segment, also after a cut, while others trade", () => {
    const status = { ...LIVE, segments: { NSE_EQ: "NORMAL_CLOSE", MCX_FO: "NORMAL_OPEN" } };
    expect(of({ status }, { ...HELD, isBeforeCut: true })).toEqual({ kind: "closed" });
    expect(of({ status: { ...LIVE, state: "closed" } })).toEqual({ kind: "closed" });
  });

  test("is stale and not closed when the stream is cut", () => {
    expect(of({ status: { ...LIVE, state: "closed" }, cutSinceMs: 1 }).kind).toBe("stale");
  });

  test("that never came is unknown", () => {
    expect(freshness(KEY, undefined, "pending", GOOD, NOW_MS)).toEqual({ kind: "unknown" });
  });
});

test("the way of prices is good only if each part is", () => {
  expect(isPathGood(GOOD, NOW_MS)).toBe(true);
  expect(isPathGood({ ...GOOD, cutSinceMs: 1 }, NOW_MS)).toBe(false);
  expect(isPathGood({ ...GOOD, isGatewayCurrent: false }, NOW_MS)).toBe(false);
  expect(isPathGood({ ...GOOD, status: null }, NOW_MS)).toBe(false);
});
