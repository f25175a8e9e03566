/** Orders, trades, positions, holdings and funds of one account: what was read, and events since. Pure. */
import type { Funds, Holding, Order, Position, Positions, Trade, UserEvent } from "../messages.ts";

export interface Book {
  /** The newest first. */
  readonly orders: readonly Order[];
  readonly trades: readonly Trade[];
  readonly positions: readonly Position[];
  readonly holdings: readonly Holding[];
  /** Of the trading day; `null` if they are not known. */
  readonly charges: string | null;
  readonly funds: Funds | null;
}

/** Before anything was read. */
export const EMPTY: Book = {
  orders: [],
  trades: [],
  positions: [],
  holdings: [],
  charges: null,
  funds: null,
};

/** As many as requests return, and those of some busy hours more. */
const MOST_ORDERS = 1_000;
const MOST_TRADES = 1_000;

export interface Read {
  readonly orders: readonly Order[];
  readonly trades: readonly Trade[];
  readonly positions: Positions;
  readonly holdings: readonly Holding[];
  readonly funds: Funds;
}

export function bookOf({ orders, trades, positions, holdings, funds }: Read): Book {
  const charges = positions.charges ?? funds.charges ?? null;
  return { orders, trades, positions: positions.positions, holdings, charges, funds };
}

/** The newer state of an order counts, whichever comes first: an event or the answer to a command. */
export function withOrder(book: Book, order: Order): Book {
  const at = book.orders.findIndex((one) => one.order_id === order.order_id);
  const known = book.orders[at];
  if (known === undefined)
    return { ...book, orders: [order, ...book.orders].slice(0, MOST_ORDERS) };
  return known.event_count > order.event_count
    ? book
    : { ...book, orders: book.orders.with(at, order) };
}

function withTrade(book: Book, trade: Trade): Book {
  const isKnown = book.trades.some((one) => one.trade_id === trade.trade_id);
  return isKnown ? book : { ...book, trades: [trade, ...book.trades].slice(0, MOST_TRADES) };
}

function withPosition(book: Book, position: Position): Book {
  const at = book.positions.findIndex(
    (one) => one.key === position.key && one.product === position.product,
  );
  const positions = at < 0 ? [...book.positions, position] : book.positions.with(at, position);
  return { ...book, positions };
}

/** The event belongs to the account of this book. */
export function applied(book: Book, { order, trade, position, funds }: UserEvent): Book {
  let next = book;
  if (order) next = withOrder(next, order);
  if (trade) next = withTrade(next, trade);
  if (position) next = withPosition(next, position);
  if (funds) next = { ...next, funds, charges: funds.charges ?? next.charges };
  return next;
}
