import { expect, test } from "vitest";
import { Amount, amountOf, exactPrice, profit, rupees, sum } from "./amount.ts";

test("sums and products are exact where floating point is not", () => {
  expect(sum([Amount.of("0.1"), Amount.of("0.2")]).toString()).toBe("0.3");
  expect(Amount.of("1400.05").times(3).toString()).toBe("4200.15");
  expect(Amount.of("99999999999999.99").plus(Amount.of("0.01")).toString()).toBe("100000000000000");
  expect(Amount.of("1.005").times(Amount.of("100")).toString()).toBe("100.5");
});

test("a price of a quote has the digits that were sent", () => {
  expect(Amount.of(1400.05).toString()).toBe("1400.05");
  expect(Amount.of(0.0025).toString()).toBe("0.0025");
});

test("what is no decimal number is an error, and what is missing is unknown", () => {
  expect(() => Amount.of("1e3")).toThrow("not a decimal");
  expect(() => Amount.of(Number.NaN)).toThrow("not a decimal");
  expect(amountOf(null)).toBeNull();
  expect(rupees(undefined)).toBe("–");
});

test("money is shown with Indian groups, rounded to the paisa half away from zero", () => {
  expect(rupees("1234567.5")).toBe("12,34,567.50");
  expect(rupees("-0.005")).toBe("−0.01");
  expect(rupees("-0.004")).toBe("0.00");
  expect(rupees("0.125")).toBe("0.13");
});

test("a profit has its sign, and one of nothing has none", () => {
  expect(profit("1250")).toBe("+1,250.00");
  expect(profit("-1250")).toBe("−1,250.00");
  expect(profit("0.001")).toBe("0.00");
});

test("a price keeps up to four places", () => {
  expect(exactPrice("1400.0500")).toBe("1,400.05");
  expect(exactPrice("83.0125")).toBe("83.0125");
  expect(exactPrice("100")).toBe("100.00");
});

test("amounts are compared by value", () => {
  expect(Amount.of("1.10").isBelow(Amount.of("1.1"))).toBe(false);
  expect(Amount.of("1.05").isBelow(Amount.of("1.1"))).toBe(true);
  expect(Amount.of("-3").sign).toBe(-1);
});
