import { expect, test } from "vitest";
import { Amount } from "../amount.ts";
import { position } from "../testing.ts";
import { profitOf, total, unrealised } from "./profit.ts";

const text = (amount: Amount | null) => amount?.toString() ?? null;

test("the server's profit moves with the price since, exactly", () => {
  expect(text(unrealised(position(), 1401.1, 1))).toBe("11");
  expect(text(unrealised(position({ quantity: -10, unrealised: "-10" }), 1400.35, 1))).toBe("-3.5");
});

test("a commodity counts its multiplier", () => {
  const oil = position({ quantity: 2, ltp: "6000", unrealised: "0" });
  expect(text(unrealised(oil, 6010, 100))).toBe("2000");
});

test("without the server's figure the average price is used", () => {
  const fresh = position({ ltp: null, unrealised: null, average_price: "1400" });
  expect(text(unrealised(fresh, 1400.5, 1))).toBe("5");
});

test("a sale of held shares and an unknown multiplier keep the server's figure", () => {
  const sale = position({ product: "D", quantity: -10, unrealised: "0" });
  expect(text(unrealised(sale, 1500, 1))).toBe("0");
  expect(text(unrealised(position(), 1500, null))).toBe("10");
});

test("a closed position has its realised profit only", () => {
  const closed = position({ quantity: 0, realised: "12.5", unrealised: null });
  expect(text(profitOf(closed, null, 1))).toBe("12.5");
});

test("the day is known only if every position is, and charges are taken from it", () => {
  expect(text(total([Amount.of("100"), Amount.of("-30")], "20.5"))).toBe("49.5");
  expect(total([Amount.of("100"), null], "20.5")).toBeNull();
  expect(text(total([], null))).toBe("0");
});
