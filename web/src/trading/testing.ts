/** Messages of the API for tests, with what a test does not care about filled in. */
import type { Instrument } from "../api/client.ts";
import type { Funds, Order, Position, Trade, UserEvent } from "./messages.ts";

export const KEY = "NSE_EQ|INE002A01018";

export function order(fields: Partial<Order> = {}): Order {
  return {
    order_id: "o1",
    account: "paper",
    key: KEY,
    side: "BUY",
    product: "I",
    order_type: "LIMIT",
    validity: "DAY",
    quantity: 10,
    filled_quantity: 0,
    state: "open",
    created_at: 1_795_408_200_000,
    event_count: 1,
    price: "1400.05",
    disclosed_quantity: 0,
    external: false,
    ...fields,
  };
}

export function position(fields: Partial<Position> = {}): Position {
  return {
    key: KEY,
    product: "I",
    quantity: 10,
    buy_quantity: 10,
    buy_value: "14000",
    sell_quantity: 0,
    sell_value: "0",
    realised: "0",
    average_price: "1400",
    ltp: "1401",
    unrealised: "10",
    ...fields,
  };
}

export function trade(fields: Partial<Trade> = {}): Trade {
  return {
    trade_id: "t1",
    order_id: "o1",
    key: KEY,
    side: "BUY",
    product: "I",
    quantity: 10,
    price: "1400",
    traded_at: 1_795_408_200_000,
    ...fields,
  };
}

export function funds(fields: Partial<Funds> = {}): Funds {
  return { account: "paper", cash: "1000000", available: "900000", charges: "20.5", ...fields };
}

export function event(seq: number, fields: Partial<UserEvent> = {}): UserEvent {
  return { seq, kind: "order", at: 1_795_408_200_000, ...fields };
}

export function instrument(fields: Partial<Instrument> = {}): Instrument {
  return {
    key: KEY,
    symbol: "RELIANCE",
    name: "Reliance Industries",
    segment: "NSE_EQ",
    exchange: "NSE",
    type: "EQ",
    lot_size: 1,
    tick_size: 0.05,
    has_derivatives: true,
    ...fields,
  };
}
