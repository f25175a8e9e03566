import { expect, test } from "vitest";
import { event, funds, order, position, trade } from "../testing.ts";
import { applied, bookOf, EMPTY, withOrder } from "./book.ts";

test("what was read is the book, with the charges that are known", () => {
  const read = { orders: [order()], trades: [], holdings: [], funds: funds() };
  expect(bookOf({ ...read, positions: { positions: [], charges: "7" } }).charges).toBe("7");
  expect(bookOf({ ...read, positions: { positions: [] } }).charges).toBe("20.5");
});

test("a fill changes order, trades, position and funds together", () => {
  const before = { ...EMPTY, orders: [order()] };
  const filled = order({ state: "filled", filled_quantity: 10, event_count: 3 });
  const after = applied(
    before,
    event(1, { kind: "fill", order: filled, trade: trade(), position: position(), funds: funds() }),
  );
  expect(after.orders).toEqual([filled]);
  expect(after.trades).toHaveLength(1);
  expect(after.positions).toEqual([position()]);
  expect(after.funds?.available).toBe("900000");
  expect(after.charges).toBe("20.5");
});

test("an older state of an order does not replace a newer one", () => {
  const newer = { ...EMPTY, orders: [order({ state: "filled", event_count: 3 })] };
  expect(withOrder(newer, order({ event_count: 2 }))).toBe(newer);
});

test("a trade counts once, and a new order is the first", () => {
  const twice = applied(applied(EMPTY, event(1, { trade: trade() })), event(1, { trade: trade() }));
  expect(twice.trades).toHaveLength(1);
  const orders = withOrder({ ...EMPTY, orders: [order()] }, order({ order_id: "o2" })).orders;
  expect(orders.map(({ order_id }) => order_id)).toEqual(["o2", "o1"]);
});

test("a position is replaced by instrument and product", () => {
  const one = applied(EMPTY, event(1, { position: position() }));
  const two = applied(one, event(2, { position: position({ product: "D" }) }));
  const three = applied(two, event(3, { position: position({ quantity: 0 }) }));
  expect(three.positions.map(({ product, quantity }) => [product, quantity])).toEqual([
    ["I", 0],
    ["D", 10],
  ]);
});
