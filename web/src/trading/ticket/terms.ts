/** The fields of a ticket as texts, and the order that they make. Pure. */
import type { Instrument } from "../../api/client.ts";
import type {
  Account,
  NewOrder,
  Order,
  OrderChanges,
  OrderType,
  Product,
  Side,
  Validity,
} from "../messages.ts";

export interface Fields {
  readonly account: Account;
  readonly product: Product;
  readonly orderType: OrderType;
  readonly validity: Validity;
  /** Quantities are in lots; a share has lots of one. */
  readonly lots: string;
  readonly price: string;
  readonly trigger: string;
  readonly disclosed: string;
}
export type Field = keyof Fields;
export type Problems = Readonly<Partial<Record<Field, string>>>;

/** How requests, and rules of a preview, call the fields. */
const FIELD_OF: Readonly<Record<string, Field>> = {
  account: "account",
  product: "product",
  order_type: "orderType",
  validity: "validity",
  quantity: "lots",
  max_order_quantity: "lots",
  holdings: "lots",
  price: "price",
  trigger: "trigger",
  trigger_price: "trigger",
  disclosed: "disclosed",
  disclosed_quantity: "disclosed",
};
const WHOLE = /^[1-9]\d{0,7}$/;
const PRICE = /^\d{1,12}(\.\d{1,4})?$/;
const MOST_UNITS = 10_000_000;

/** The field of the ticket for that of a refusal or a rule; `null` if it concerns no single one. */
export function fieldOf(name: string | null): Field | null {
  return name === null ? null : (FIELD_OF[name] ?? null);
}

export const hasLimit = (type: OrderType): boolean => type === "LIMIT" || type === "SL";
export const hasTrigger = (type: OrderType): boolean => type === "SL" || type === "SL-M";

/** Units in a lot as orders count them: on MCX the unit is a lot. */
export function lotOf(instrument: Pick<Instrument, "key" | "lot_size">): number {
  return instrument.key.startsWith("MCX") ? 1 : (instrument.lot_size ?? 1);
}

function unitsOf(lots: string, lot: number): number | null {
  if (!WHOLE.test(lots)) return null;
  const units = Number(lots) * lot;
  return units <= MOST_UNITS ? units : null;
}

/** What is missing or cannot be read; the server checks the rest. */
export function problemsOf(fields: Fields, lot: number): Problems {
  const problems: Partial<Record<Field, string>> = {};
  if (unitsOf(fields.lots, lot) === null) problems.lots = "Enter a whole number.";
  if (hasLimit(fields.orderType) && !PRICE.test(fields.price)) problems.price = "Enter a price.";
  if (hasTrigger(fields.orderType) && !PRICE.test(fields.trigger))
    problems.trigger = "Enter a trigger price.";
  const isDisclosed = fields.disclosed !== "";
  if (isDisclosed && unitsOf(fields.disclosed, lot) === null)
    problems.disclosed = "Enter a whole number, or nothing.";
  return problems;
}

/** The order of a ticket without problems; `null` with one. Prices stay the digits that were typed. */
export function orderOf(
  fields: Fields,
  { key, side, lot }: { readonly key: string; readonly side: Side; readonly lot: number },
): NewOrder | null {
  const quantity = unitsOf(fields.lots, lot);
  if (quantity === null || Object.keys(problemsOf(fields, lot)).length > 0) return null;
  return {
    account: fields.account,
    key,
    side,
    product: fields.product,
    quantity,
    order_type: fields.orderType,
    validity: fields.validity,
    disclosed_quantity: unitsOf(fields.disclosed, lot) ?? 0,
    ...(hasLimit(fields.orderType) ? { price: fields.price } : {}),
    ...(hasTrigger(fields.orderType) ? { trigger_price: fields.trigger } : {}),
  };
}

/** The fields of an open order that is to be changed. */
export function fieldsOf(order: Order, lot: number): Fields {
  return {
    account: order.account,
    product: order.product,
    orderType: order.order_type,
    validity: order.validity,
    lots: String(order.quantity / lot),
    price: order.price ?? "",
    trigger: order.trigger_price ?? "",
    disclosed: order.disclosed_quantity ? String(order.disclosed_quantity / lot) : "",
  };
}

/** The terms that differ from those of the order: what is absent stays as it is. */
export function changesOf(wanted: NewOrder, order: Order): OrderChanges {
  const isPrice = wanted.price !== undefined && wanted.price !== order.price;
  const isTrigger =
    wanted.trigger_price !== undefined && wanted.trigger_price !== order.trigger_price;
  const disclosed = wanted.disclosed_quantity ?? 0;
  return {
    ...(wanted.quantity === order.quantity ? {} : { quantity: wanted.quantity }),
    ...(wanted.order_type === order.order_type ? {} : { order_type: wanted.order_type }),
    ...(wanted.validity === order.validity ? {} : { validity: wanted.validity ?? "DAY" }),
    ...(isPrice ? { price: wanted.price ?? null } : {}),
    ...(isTrigger ? { trigger_price: wanted.trigger_price ?? null } : {}),
    ...(disclosed === (order.disclosed_quantity ?? 0) ? {} : { disclosed_quantity: disclosed }),
  };
}
