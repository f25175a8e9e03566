/** The lines that a chart shows of open orders and positions. Pure. */
import type { PriceLine } from "../instrument/lines.ts";
import type { Book } from "./account/book.ts";
import { isOpen, type Order, type Position } from "./messages.ts";

/** By instrument key. Prices are those of a drawing: they are rounded to its pixels anyway. */
export function linesOf({ orders, positions }: Book): ReadonlyMap<string, readonly PriceLine[]> {
  const lines = new Map<string, PriceLine[]>();
  const add = (key: string, added: readonly PriceLine[]) => {
    if (added.length > 0) lines.set(key, [...(lines.get(key) ?? []), ...added]);
  };
  for (const order of orders) if (isOpen(order)) add(order.key, orderLines(order));
  for (const position of positions) add(position.key, positionLines(position));
  return lines;
}

function orderLines(order: Order): PriceLine[] {
  const { side, price, trigger_price: trigger } = order;
  const quantity = order.quantity - order.filled_quantity;
  const lines: PriceLine[] = [];
  if (price) lines.push({ price: Number(price), side, quantity, kind: "order" });
  if (trigger) lines.push({ price: Number(trigger), side, quantity, kind: "trigger" });
  return lines;
}

function positionLines({ quantity, average_price: average }: Position): PriceLine[] {
  if (quantity === 0 || !average) return [];
  const side = quantity > 0 ? "BUY" : "SELL";
  return [{ price: Number(average), side, quantity: Math.abs(quantity), kind: "position" }];
}
