/** Events of orders, as one line for people. Pure. */
import { exactPrice } from "./amount.ts";
import type { UserEvent } from "./messages.ts";
import { orderText } from "./words.ts";

const ENDS: Readonly<Record<string, string>> = {
  filled: "Filled",
  cancelled: "Cancelled",
  rejected: "Rejected",
  expired: "Expired",
  unknown: "Not known yet",
};

type SymbolOf = (key: string) => string;

/** `null` for an event that is shown by its view alone. News of real money say so. */
export function newsOf(event: UserEvent, symbolOf: SymbolOf): string | null {
  const text = textOf(event, symbolOf);
  return text !== null && event.order?.account === "upstox" ? `LIVE: ${text}` : text;
}

function textOf({ order, trade, position }: UserEvent, symbolOf: SymbolOf): string | null {
  if (trade) {
    const isWhole = order?.state === "filled";
    const quantity = isWhole ? order.quantity : trade.quantity;
    const price = exactPrice((isWhole && order.average_price) || trade.price);
    const part = order && !isWhole ? `, ${order.filled_quantity} of ${order.quantity} so far` : "";
    return `Filled: ${trade.side} ${quantity} ${symbolOf(trade.key)} at ${price}${part}`;
  }
  if (!order && position?.settled_price)
    return `Expired: ${symbolOf(position.key)}, settled at ${exactPrice(position.settled_price)}`;
  const word = order ? ENDS[order.state] : undefined;
  if (!order || word === undefined) return null;
  const reason = order.detail && order.state !== "filled" ? `: ${order.detail}` : "";
  return `${word}: ${orderText(order, symbolOf(order.key))}${reason}`;
}
