/** The page's words for states and terms of orders. Pure. */
import { sentence } from "../api/problems.ts";
import { exactPrice } from "./amount.ts";
import type { CommandState } from "./command.ts";
import type { Account, Order, Product } from "./messages.ts";

const STATES: Readonly<Record<string, string>> = {
  intent: "being sent",
  sending: "being sent",
  open: "open",
  partly_filled: "partly filled",
  unknown: "not known yet",
  filled: "filled",
  cancelled: "cancelled",
  rejected: "rejected",
  expired: "expired",
};

export const PRODUCTS: Readonly<Record<Product, string>> = {
  I: "Intraday",
  D: "Delivery",
  MTF: "MTF",
};

export const ACCOUNTS: Readonly<Record<Account, string>> = {
  paper: "Paper",
  upstox: "LIVE at Upstox",
};

/** Why the account at Upstox cannot be chosen. */
export const NO_LIVE = "No Upstox account is linked, or orders there are not allowed: see Account.";

/** The state of an order; a command whose effect is not known is named as such, and never as failed. */
export function stateText(order: Order): string {
  const text = STATES[order.state] ?? order.state;
  if (order.pending === "cancel") return `${text}, cancellation not known yet`;
  if (order.pending === "modify") return `${text}, change not known yet`;
  return text;
}

export const isUnderway = (state: CommandState<unknown>): boolean =>
  state.kind === "sending" || (state.kind === "unknown" && state.isAsking);

/** How a command goes that has no answer yet; a refusal is told where it belongs. */
export function commandText(state: CommandState<unknown>): string {
  if (state.kind === "sending") return "Sending …";
  if (state.kind !== "unknown") return "";
  const why = state.refusal === null ? "no answer came." : sentence(state.refusal);
  return state.isAsking
    ? `Not known yet: ${why} Asking again …`
    : `Not known yet: ${why} Look at your orders first: “Ask again” does it at most once.`;
}

/** Type and prices: `LIMIT 1,400.05`, `SL 1,399.00, trigger 1,400.00`. */
export function termsText(order: Pick<Order, "order_type" | "price" | "trigger_price">): string {
  const price = order.price ? ` ${exactPrice(order.price)}` : "";
  const trigger = order.trigger_price ? `, trigger ${exactPrice(order.trigger_price)}` : "";
  return `${order.order_type}${price}${trigger}`;
}

/** One line about an order for news and questions: `BUY 10 RELIANCE, LIMIT 1,400.05`. */
export function orderText(order: Order, symbol: string): string {
  return `${order.side} ${order.quantity} ${symbol}, ${termsText(order)}`;
}
