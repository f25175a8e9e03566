/** Profit and loss of positions at the newest price of the stream. Exact. Pure. */
import type { Quote } from "../../stream/protocol.ts";
import { Amount, amountOf, sum } from "../amount.ts";
import type { Position } from "../messages.ts";

/**
 * The server's figure, moved by what the price has moved since: so it counts lots and held shares as the
 * server does. A sale of delivered shares has no profit that moves with the price: the server's figure stays.
 */
export function unrealised(
  position: Position,
  ltp: Quote["ltp"],
  multiplier: number | null,
): Amount | null {
  if (position.quantity === 0) return Amount.ZERO;
  const told = amountOf(position.unrealised);
  const isHeld = position.product === "D" && position.quantity < 0;
  if (isHeld || multiplier === null || ltp === null || ltp === undefined) return told;
  const from = told === null ? amountOf(position.average_price) : amountOf(position.ltp);
  if (from === null) return told;
  const moved = Amount.of(ltp).minus(from).times(position.quantity).times(multiplier);
  return (told ?? Amount.ZERO).plus(moved);
}

/** Realised and unrealised; `null` while a price is missing. */
export function profitOf(
  position: Position,
  ltp: Quote["ltp"],
  multiplier: number | null,
): Amount | null {
  const open = unrealised(position, ltp, multiplier);
  return open === null ? null : open.plus(Amount.of(position.realised));
}

/** Of all positions, after the charges of the day if they are known; `null` while one is not known. */
export function total(profits: Iterable<Amount | null>, charges: string | null): Amount | null {
  const known: Amount[] = [];
  for (const one of profits) {
    if (one === null) return null;
    known.push(one);
  }
  return sum(known).minus(amountOf(charges) ?? Amount.ZERO);
}
