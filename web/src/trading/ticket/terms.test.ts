import { expect, test } from "vitest";
import { instrument, KEY, order } from "../testing.ts";
import {
  changesOf,
  type Fields,
  fieldOf,
  fieldsOf,
  lotOf,
  orderOf,
  problemsOf,
  productsOf,
} from "./terms.ts";

const FIELDS: Fields = {
  account: "paper",
  product: "I",
  orderType: "LIMIT",
  validity: "DAY",
  lots: "2",
  price: "1400.05",
  trigger: "",
  disclosed: "",
};
const OF = { key: KEY, side: "BUY", lot: 65 } as const;

test("lots become units, and prices stay the digits that were typed", () => {
  expect(orderOf({ ...FIELDS, price: "1400.0500" }, OF)).toEqual({
    account: "paper",
    key: KEY,
    side: "BUY",
    product: "I",
    quantity: 130,
    order_type: "LIMIT",
    validity: "DAY",
    disclosed_quantity: 0,
    price: "1400.0500",
  });
});

test("an order has only the prices of its type", () => {
  const typed = { ...FIELDS, trigger: "1399" };
  expect(orderOf({ ...typed, orderType: "MARKET" }, OF)).not.toHaveProperty("price");
  expect(orderOf({ ...typed, orderType: "SL-M" }, OF)).toMatchObject({ trigger_price: "1399" });
  expect(orderOf({ ...typed, orderType: "SL" }, OF)).toMatchObject({ price: "1400.05" });
});

test.each([
  ["lots", { lots: "1.5" }],
  ["lots", { lots: "" }],
  ["lots", { lots: "0" }],
  ["lots", { lots: "99999999" }],
  ["lots", { lots: "1,5" }],
  ["price", { price: "0" }],
  ["price", { price: "1000000000" }],
  ["price", { price: "1,40" }],
  ["price", { price: "1,,400" }],
  ["price", { price: "1.5,000" }],
  ["price", { price: "1e3" }],
  ["price", { price: "1.00001" }],
  ["trigger", { orderType: "SL-M" as const }],
  ["disclosed", { disclosed: "x" }],
])("what cannot be read is said beside its field: %s %o", (field, change) => {
  const fields = { ...FIELDS, ...change };
  expect(Object.keys(problemsOf(fields, 65))).toEqual([field]);
  expect(orderOf(fields, OF)).toBeNull();
});

test.each([
  ["1,000", 1_000],
  ["1,00,000", 100_000],
  ["1,234,567", 1_234_567],
])("numbers may have Indian and western groups: %s", (lots, quantity) => {
  const fields = { ...FIELDS, lots, price: "1,420.50", trigger: "1,420", disclosed: lots };
  expect(orderOf({ ...fields, orderType: "SL" }, { ...OF, lot: 1 })).toMatchObject({
    quantity,
    disclosed_quantity: quantity,
    price: "1420.50",
    trigger_price: "1420",
  });
});

test("a number that cannot be ordered is answered with the rule, for the lot", () => {
  const fields = { ...FIELDS, lots: "0", price: "1000000000" };
  expect(problemsOf(fields, 1)).toEqual({
    lots: "Enter a whole number, 1 to 1,00,00,000.",
    price: "Enter a price, 0.0001 to 10,00,00,000.",
  });
  expect(problemsOf({ ...FIELDS, lots: "666667" }, 15)).toEqual({
    lots: "Enter a whole number, 1 to 6,66,666.",
  });
  expect(problemsOf({ ...FIELDS, lots: "666666", price: "100000000" }, 15)).toEqual({});
});

test("MTF is offered for shares only", () => {
  expect(Object.keys(productsOf(instrument()))).toEqual(["I", "D", "MTF"]);
  expect(Object.keys(productsOf(instrument({ segment: "NSE_FO" })))).toEqual(["I", "D"]);
});

test("a change of the type drops the price that it does not have", () => {
  const open = order({ disclosed_quantity: 0 });
  const wanted = orderOf({ ...fieldsOf(open, 1), orderType: "MARKET" }, { ...OF, lot: 1 });
  expect(wanted && Object.keys(changesOf(wanted, open))).toEqual(["order_type"]);
});

test("a commodity is counted in lots already", () => {
  expect(lotOf(instrument({ key: "MCX_FO|1", lot_size: 100 }))).toBe(1);
  expect(lotOf(instrument({ lot_size: 65 }))).toBe(65);
  expect(lotOf(instrument({ lot_size: null }))).toBe(1);
});

test("a change has only the terms that differ", () => {
  const open = order({ quantity: 130 });
  const fields = fieldsOf(open, 65);
  expect(fields).toMatchObject({ lots: "2", price: "1400.05", trigger: "", disclosed: "" });
  const changed = orderOf({ ...fields, price: "1400", lots: "3" }, OF);
  expect(changed && changesOf(changed, open)).toEqual({ quantity: 195, price: "1400" });
});

test("refusals and rules lead to their field", () => {
  expect(fieldOf("trigger_price")).toBe("trigger");
  expect(fieldOf("max_order_quantity")).toBe("lots");
  expect(fieldOf("margin")).toBeNull();
  expect(fieldOf(null)).toBeNull();
});
