import { expect, test } from "vitest";
import { Subscriptions } from "./subscriptions.ts";

const keys = (count: number) => Array.from({ length: count }, (_, index) => `NSE_EQ|${index}`);

test("a key that two views follow is subscribed once and kept until both have left", () => {
  const subscriptions = new Subscriptions();
  expect(subscriptions.follow("quotes", ["a", "b"])).toHaveLength(1);
  expect(subscriptions.follow("quotes", ["a"])).toEqual([]);
  expect(subscriptions.unfollow("quotes", ["a"])).toEqual([]);
  expect(subscriptions.unfollow("quotes", ["a"])).toMatchObject([
    { op: "unsubscribe", keys: ["a"] },
  ]);
  expect(subscriptions.unfollow("quotes", ["a"])).toEqual([]);
});

test("many keys are split into messages below the limit of the gateway", () => {
  const long = keys(250).map((key) => key.padEnd(128, "x"));
  const messages = new Subscriptions().follow("quotes", long);
  expect(messages).toHaveLength(3);
  for (const message of messages) expect(JSON.stringify(message).length).toBeLessThan(16_384);
});

test("a new stream subscribes to everything again with its interval", () => {
  const subscriptions = new Subscriptions();
  subscriptions.setInterval("quotes", 100);
  subscriptions.follow("quotes", ["a"]);
  expect(subscriptions.all()).toMatchObject([
    { op: "subscribe", channel: "status" },
    { op: "subscribe", channel: "orders" },
    { op: "subscribe", channel: "quotes", keys: ["a"], interval_ms: 100 },
  ]);
});

test("the same interval again sends nothing", () => {
  const subscriptions = new Subscriptions();
  subscriptions.follow("quotes", ["a"]);
  expect(subscriptions.setInterval("quotes", 1_000)).toHaveLength(1);
  expect(subscriptions.setInterval("quotes", 1_000)).toEqual([]);
});

test("outcomes are kept by key, from answers and from later news", () => {
  const subscriptions = new Subscriptions();
  const [message] = subscriptions.follow("quotes", ["a", "b"]);
  const id = (message as { id: number }).id;
  expect(subscriptions.answered(id, { a: "live", b: "pending" })).toEqual(["a", "b"]);
  expect(subscriptions.changed("quotes", { b: "no_capacity", c: "live" })).toEqual(["b"]);
  expect(subscriptions.outcome("quotes", "a")).toBe("live");
  expect(subscriptions.outcome("quotes", "b")).toBe("no_capacity");
  expect(subscriptions.answered(id, { a: "unknown" })).toEqual([]);
});

test("the keys of a refused request are refused", () => {
  const subscriptions = new Subscriptions();
  const [message] = subscriptions.follow("quotes", ["a"]);
  expect(subscriptions.refused((message as { id: number }).id)).toEqual(["a"]);
  expect(subscriptions.outcome("quotes", "a")).toBe("refused");
});
