/** Small decisions of the tables of positions and holdings. Pure. */
import type { Instrument } from "../../api/client.ts";
import type { Position } from "../messages.ts";
import { lotOf } from "../ticket/terms.ts";

/** Open positions before those that are closed already. */
export const openFirst = (positions: readonly Position[]): readonly Position[] =>
  positions.toSorted((one, other) => Number(!one.quantity) - Number(!other.quantity));

/** The lots of a position for a ticket; `null` if there is none, or the lot is not known. */
export function lotsOf(
  position: Pick<Position, "quantity">,
  instrument: Instrument | undefined,
): string | null {
  if (instrument === undefined || position.quantity === 0) return null;
  const lots = Math.abs(position.quantity) / lotOf(instrument);
  return Number.isInteger(lots) ? String(lots) : null;
}
