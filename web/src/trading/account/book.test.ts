import { expect, test } from "vitest";
import type { Positions } from "../messages.ts";
import { event, funds, order, position, trade } from "../testing.ts";
import { applied, UNREAD, withOrder, withPositions } from "./book.ts";

test("charges are those of the positions, or else of the funds", () => {
  const chargesOf = (positions: Positions) => withPositions(UNREAD, positions, [], funds()).charges;
  expect(chargesOf({ positions: [], charges: "7" })).toBe("7");
  expect(chargesOf({ positions: [] })).toBe("20.5");
});

test("an open order is never dropped for newer ones", () => {
  let book = withOrder(UNREAD, order({ order_id: "open" }));
  for (let number = 0; number < 1_100; number += 1) {
    book = withOrder(book, order({ order_id: `o${number}`, state: "filled" }));
  }
  expect(book.orders).toHaveLength(1_001);
  expect(book.orders.at(-1)?.order_id).toBe("open");
});

test("a fill changes order, trades, position and funds together", () => {
  const before = { ...UNREAD, orders: [order()] };
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
  const newer = { ...UNREAD, orders: [order({ state: "filled", event_count: 3 })] };
  expect(withOrder(newer, order({ event_count: 2 }))).toBe(newer);
});

test("a trade counts once, and a new order is the first", () => {
  const twice = applied(
    applied(UNREAD, event(1, { trade: trade() })),
    event(1, { trade: trade() }),
  );
  expect(twice.trades).toHaveLength(1);
  const orders = withOrder({ ...UNREAD, orders: [order()] }, order({ order_id: "o2" })).orders;
  expect(orders.map(({ order_id }) => order_id)).toEqual(["o2", "o1"]);
});

test("a position is replaced by instrument and product", () => {
  const one = applied(UNREAD, event(1, { position: position() }));
  const two = applied(one, event(2, { position: position({ product: "D" }) }));
  const three = applied(two, event(3, { position: position({ quantity: 0 }) }));
  expect(three.positions.map(({ product, quantity }) => [product, quantity])).toEqual([
    ["I", 0],
    ["D", 10],
  ]);
});
