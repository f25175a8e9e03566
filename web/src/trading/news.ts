/** What happened to orders, as one line for people. Pure. */
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

/** `null` for an event that is shown by its view alone. */
export function newsOf(event: UserEvent, symbolOf: (key: string) => string): string | null {
  const { order, trade } = event;
  if (trade) {
    const isWhole = order?.state === "filled";
    const quantity = isWhole ? order.quantity : trade.quantity;
    const price = exactPrice((isWhole && order.average_price) || trade.price);
    const part = order && !isWhole ? `, ${order.filled_quantity} of ${order.quantity} so far` : "";
    return `Filled: ${trade.side} ${quantity} ${symbolOf(trade.key)} at ${price}${part}`;
  }
  const word = order ? ENDS[order.state] : undefined;
  if (!order || word === undefined) return null;
  const reason = order.detail && order.state !== "filled" ? `: ${order.detail}` : "";
  return `${word}: ${orderText(order, symbolOf(order.key))}${reason}`;
}
