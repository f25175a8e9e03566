import { beforeEach, describe, expect, test } from "vitest";
import type { FeedStatus, Quote } from "../stream/protocol.ts";
import { Subscriptions } from "../stream/subscriptions.ts";
import { ManualClock } from "../testing/manual_clock.ts";
import { Market } from "./market.ts";

const A = "NSE_EQ|A";
const B = "NSE_EQ|B";

let clock: ManualClock;
let subscriptions: Subscriptions;
let market: Market;
let refusals: string[];

const quote = (key: string, seq: number): Quote => ({ key, epoch: 1, seq, ts: 0, rt: 0 });

function take(key: string, seq: number): void {
  market.received({ type: "quotes", data: [quote(key, seq)] }, clock.now());
}

function status(state: FeedStatus["state"]): void {
  market.received({ type: "status", data: [{ state, since: 0, epoch: 1 }] }, clock.now());
}

const kinds = () => [A, B].map((key) => market.freshnessOf(key).kind);

beforeEach(() => {
  clock = new ManualClock();
  subscriptions = new Subscriptions();
  subscriptions.follow("quotes", [A, B]);
  refusals = [];
  market = new Market(clock, subscriptions, ({ message }) => refusals.push(message));
  market.opened(clock.now());
  status("live");
  take(A, 1);
  take(B, 1);
});

describe("the market", () => {
  test("has fresh prices while stream and feed are good", () => {
    expect(kinds()).toEqual(["fresh", "fresh"]);
  });

  test("outdates all prices at once with the stream, and each returns with something newer", () => {
    market.cut(clock.now());
    expect(kinds()).toEqual(["stale", "stale"]);
    market.opened(clock.now());
    status("live");
    take(A, 1);
    expect(kinds()).toEqual(["stale", "stale"]);
    take(A, 2);
    expect(kinds()).toEqual(["fresh", "stale"]);
  });

  test("holds nothing of a key that was forgotten, neither its price nor its order book", () => {
    const book = { key: A, epoch: 1, seq: 1, ts: 0, rt: 0, bids: [], asks: [] };
    market.received({ type: "depth", data: [book] }, clock.now());
    expect(market.books.get(A)).toMatchObject({ isBeforeCut: false });
    market.forget("quotes", A);
    market.forget("depth", A);
    expect(kinds()).toEqual(["unknown", "fresh"]);
    expect(market.books.get(A)).toBeUndefined();
  });

  test("outdates order books together with prices", () => {
    const book = { key: A, epoch: 1, seq: 1, ts: 0, rt: 0, bids: [], asks: [] };
    market.received({ type: "depth", data: [book] }, clock.now());
    market.cut(clock.now());
    expect(market.books.get(A)).toMatchObject({ isBeforeCut: true });
  });

  test("outdates all prices when the feed is cut while the stream is open", () => {
    status("connecting");
    expect(kinds()).toEqual(["stale", "stale"]);
    status("live");
    expect(kinds()).toEqual(["stale", "stale"]);
    take(B, 2);
    expect(kinds()).toEqual(["stale", "fresh"]);
  });

  test("outdates all prices when states of the feed do not come", () => {
    const sinceMs = clock.now();
    clock.jump(4_000);
    market.tick();
    expect(kinds()).toEqual(["ageing", "ageing"]);
    clock.jump(2_000);
    market.tick();
    expect(market.freshnessOf(A)).toEqual({ kind: "stale", sinceMs });
  });

  test("outdates all prices when the gateway is cut off from the feed", () => {
    market.received({ type: "heartbeat", now: 1, feed_is_current: false }, clock.now());
    expect(kinds()).toEqual(["stale", "stale"]);
  });

  test("waits for a state of the feed on a new stream before it calls anything fresh", () => {
    market.cut(clock.now());
    market.opened(clock.now());
    take(A, 2);
    expect(kinds()).toEqual(["stale", "stale"]);
  });

  test("does not trust what the gateway still had while the feed was cut", () => {
    status("connecting");
    take(A, 2);
    status("live");
    expect(kinds()).toEqual(["stale", "stale"]);
  });

  test("announces outcomes, and reports what the server refuses", () => {
    const before = market.revision.value;
    market.received(
      { type: "outcomes", channel: "quotes", results: { [A]: "no_capacity" } },
      clock.now(),
    );
    expect(market.revision.value).toBeGreaterThan(before);
    expect(kinds()).toEqual(["stale", "fresh"]);
    market.received(
      { type: "error", code: "limit_exceeded", detail: "at most 5 000" },
      clock.now(),
    );
    expect(refusals).toEqual(["at most 5 000"]);
  });

  test("leaves errors that only announce a close to the stream", () => {
    market.received({ type: "error", code: "restarting", detail: "" }, clock.now());
    expect(refusals).toEqual([]);
  });
});
