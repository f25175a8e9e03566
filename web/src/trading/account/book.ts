/** Orders, trades, positions, holdings and funds of one account: what was read, and events since. Pure. */
import {
  type Funds,
  type Holding,
  isOpen,
  type Order,
  type Position,
  type Positions,
  type Trade,
  type UserEvent,
} from "../messages.ts";

export interface Book {
  /** Whether orders and trades were read; if not, some of them may be missing. */
  readonly hasOrders: boolean;
  /** The same of positions, holdings and funds. */
  readonly hasPositions: boolean;
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
export const UNREAD: Book = {
  hasOrders: false,
  hasPositions: false,
  orders: [],
  trades: [],
  positions: [],
  holdings: [],
  charges: null,
  funds: null,
};

/** The book of a user without an account at Upstox. */
export const NOTHING: Book = { ...UNREAD, hasOrders: true, hasPositions: true };

/** As many as requests return, and those of some busy hours more. */
const MOST_ORDERS = 1_000;
const MOST_TRADES = 1_000;

export function withOrders(book: Book, orders: readonly Order[], trades: readonly Trade[]): Book {
  return { ...book, orders, trades, hasOrders: true };
}

export function withPositions(
  book: Book,
  { positions, charges }: Positions,
  holdings: readonly Holding[],
  funds: Funds,
): Book {
  return {
    ...book,
    positions,
    holdings,
    charges: charges ?? funds.charges ?? null,
    funds,
    hasPositions: true,
  };
}

/** The newer state of an order counts, whichever comes first: an event or the answer to a command. */
export function withOrder(book: Book, order: Order): Book {
  const at = book.orders.findIndex((one) => one.order_id === order.order_id);
  const known = book.orders[at];
  if (known === undefined) {
    const orders = [order, ...book.orders];
    return { ...book, orders: orders.filter((one, place) => place < MOST_ORDERS || isOpen(one)) };
  }
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
