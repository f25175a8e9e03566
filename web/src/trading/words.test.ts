import { expect, test } from "vitest";
import { newsOf } from "./news.ts";
import { event, order, position, trade } from "./testing.ts";
import { eventLines } from "./views/order_events.ts";
import { orderText, stateText, termsText } from "./words.ts";

const symbolOf = () => "RELIANCE";

test("what is not known is never called failed", () => {
  expect(stateText(order({ state: "unknown" }))).toBe("not known yet");
  expect(stateText(order({ pending: "cancel" }))).toBe("open, cancellation not known yet");
  expect(stateText(order({ pending: "modify" }))).toBe("open, change not known yet");
  expect(stateText(order({ state: "of a later version" }))).toBe("of a later version");
});

test("an order is one line", () => {
  expect(orderText(order(), "RELIANCE")).toBe("BUY 10 RELIANCE, LIMIT 1,400.05");
  const stop = order({ order_type: "SL", price: "1401", trigger_price: "1400.5" });
  expect(termsText(stop)).toBe("SL 1,401.00, trigger 1,400.50");
});

test("fills and ends of orders are news, and other states are not", () => {
  const fill = event(1, { kind: "fill", order: order({ state: "filled" }), trade: trade() });
  expect(newsOf(fill, symbolOf)).toBe("Filled: BUY 10 RELIANCE at 1,400.00");
  const last = order({ state: "filled", quantity: 100, average_price: "1400.5" });
  expect(newsOf(event(1, { kind: "fill", order: last, trade: trade() }), symbolOf)).toBe(
    "Filled: BUY 100 RELIANCE at 1,400.50",
  );
  const part = order({ state: "partly_filled", quantity: 100, filled_quantity: 16 });
  expect(newsOf(event(1, { kind: "fill", order: part, trade: trade() }), symbolOf)).toBe(
    "Filled: BUY 10 RELIANCE at 1,400.00, 16 of 100 so far",
  );
  const live = order({ state: "cancelled", account: "upstox" });
  expect(newsOf(event(1, { order: live }), symbolOf)).toMatch(/^LIVE: Cancelled: BUY 10 /);
  const settled = position({ quantity: 0, settled_price: "50.35" });
  expect(newsOf(event(2, { kind: "settlement", order: null, position: settled }), symbolOf)).toBe(
    "Expired: RELIANCE, settled at 50.35",
  );
  const rejected = order({ state: "rejected", detail: "no funds" });
  expect(newsOf(event(2, { order: rejected }), symbolOf)).toBe(
    "Rejected: BUY 10 RELIANCE, LIMIT 1,400.05: no funds",
  );
  expect(newsOf(event(3, { order: order() }), symbolOf)).toBeNull();
});

test("events of an order are named, also those of a later version", () => {
  const lines = eventLines([
    { type: "intended", at_ms: 1 },
    { type: "filled", at_ms: 2, quantity: 10, price: "1400.05" },
    { type: "reported", at_ms: 3, report: { state: 4, detail: "by the user" } },
    { type: "command_sending", at_ms: 4, prices: null },
    { type: "command_answered", at_ms: 5, code: "UDAPI100040", detail: "it is final" },
    { type: "command_answered", at_ms: 6 },
    { type: "new kind" },
  ]);
  expect(lines.map(({ text }) => text)).toEqual([
    "Accepted by the checks",
    "Filled: 10 at 1,400.05",
    "News of the broker: cancelled, by the user",
    "Cancellation sent",
    "Refused by the broker: UDAPI100040, it is final",
    "Received by the broker",
    "new kind",
  ]);
  expect(lines.at(-1)?.atMs).toBeNull();
});
