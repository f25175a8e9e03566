/** The fields of a ticket as texts, and the order that they make. Pure. */
import type { Instrument } from "../../api/client.ts";
import { quantity } from "../../ui/format.ts";
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
/** The terms that a change may have. */
const CHANGED = [
  "quantity",
  "order_type",
  "validity",
  "price",
  "trigger_price",
  "disclosed_quantity",
] as const;
const WHOLE = /^\d+$/;
const PRICE = /^\d+(\.\d{1,4})?$/;
/** A last group of two digits would be a decimal comma: `1,50` is not read as 150. */
const GROUPS = /^\d{1,3}(,\d\d\d?)*,\d{3}(?!\d)/;
const MOST_UNITS = 10_000_000;
/** Of the server. */
const MOST_PRICE = 100_000_000;
const PRICE_RULE = "Enter a price, 0.0001 to 10,00,00,000.";

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

/** The products that there are for the kind of instrument, with their names: only shares have MTF. */
export const productsOf = ({ segment }: Pick<Instrument, "segment">) => ({
  I: "Intraday",
  D: "Delivery, carry",
  ...(segment.endsWith("_EQ") ? { MTF: "MTF" } : {}),
});

/** A typed number without the commas of its groups, as `1,00,000.50` or `100,000.50`. */
export const ungrouped = (text: string): string =>
  text.replace(GROUPS, (whole) => whole.replaceAll(",", ""));

/** Zero for what is not such a number from above zero to the most. */
function read(typed: string, form: RegExp, most: number): number {
  const text = ungrouped(typed);
  const number = form.test(text) ? Number(text) : 0;
  return number <= most ? number : 0;
}

const unitsOf = (lots: string, lot: number): number => read(lots, WHOLE, MOST_UNITS / lot) * lot;

/** Missing and unreadable fields; the server checks the rest. */
export function problemsOf(fields: Fields, lot: number): Problems {
  const problems: Partial<Record<Field, string>> = {};
  const whole = `Enter a whole number, 1 to ${quantity(Math.floor(MOST_UNITS / lot))}.`;
  const isPrice = (typed: string) => read(typed, PRICE, MOST_PRICE) > 0;
  if (!unitsOf(fields.lots, lot)) problems.lots = whole;
  if (hasLimit(fields.orderType) && !isPrice(fields.price)) problems.price = PRICE_RULE;
  if (hasTrigger(fields.orderType) && !isPrice(fields.trigger)) problems.trigger = PRICE_RULE;
  if (fields.disclosed && !unitsOf(fields.disclosed, lot)) problems.disclosed = whole;
  return problems;
}

/** The order of a ticket without problems; `null` with one. Prices stay the digits that were typed, without groups. */
export function orderOf(
  fields: Fields,
  { key, side, lot }: { readonly key: string; readonly side: Side; readonly lot: number },
): NewOrder | null {
  if (Object.keys(problemsOf(fields, lot)).length > 0) return null;
  return {
    account: fields.account,
    key,
    side,
    product: fields.product,
    quantity: unitsOf(fields.lots, lot),
    order_type: fields.orderType,
    validity: fields.validity,
    disclosed_quantity: unitsOf(fields.disclosed, lot),
    ...(hasLimit(fields.orderType) ? { price: ungrouped(fields.price) } : {}),
    ...(hasTrigger(fields.orderType) ? { trigger_price: ungrouped(fields.trigger) } : {}),
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
  const isOther = (term: (typeof CHANGED)[number]) =>
    wanted[term] !== undefined && wanted[term] !== (order[term] ?? 0);
  return Object.fromEntries(CHANGED.filter(isOther).map((term) => [term, wanted[term]]));
}
