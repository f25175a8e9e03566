import { expect, test } from "vitest";
import { UNREAD } from "./account/book.ts";
import { linesOf } from "./chart_lines.ts";
import { KEY, order, position } from "./testing.ts";

test("an open order has a line at its price and its trigger, with what is still to be filled", () => {
  const orders = [
    order({ price: "1400.05", trigger_price: "1399", filled_quantity: 4 }),
    order({ order_id: "o2", side: "SELL", price: "1500", state: "filled" }),
  ];
  expect(linesOf({ ...UNREAD, orders }).get(KEY)).toEqual([
    { price: 1400.05, side: "BUY", quantity: 6, kind: "order" },
    { price: 1399, side: "BUY", quantity: 6, kind: "trigger" },
  ]);
});

test("a position has a line at its average price, one that is closed has none", () => {
  const positions = [
    position({ quantity: -25, average_price: "99.5" }),
    position({ key: "NSE_EQ|OTHER", quantity: 0 }),
  ];
  expect([...linesOf({ ...UNREAD, positions })]).toEqual([
    [KEY, [{ price: 99.5, side: "SELL", quantity: 25, kind: "position" }]],
  ]);
});
