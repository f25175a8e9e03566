/** The figures of the day and of an instrument, as pairs of a name and a text. Pure. */
import type { InstrumentDetail } from "../api/market.ts";
import type { Depth, Quote } from "../stream/protocol.ts";
import type { Figure } from "../ui/FigureList.tsx";
import { compact, price, quantity, timeOfDay, UNKNOWN } from "../ui/format.ts";

export function dayFigures(quote: Quote | undefined): Figure[] {
  return [
    ["Open", price(quote?.open)],
    ["High", price(quote?.high)],
    ["Low", price(quote?.low)],
    ["Prev.", price(quote?.cp)],
    ["Volume", compact(quote?.volume)],
    ["Average", price(quote?.atp)],
    ["OI", compact(quote?.oi)],
    ["Last qty", quantity(quote?.ltq)],
    ["Last at", timeOfDay(quote?.ltt)],
    ...auctionFigures(quote),
  ];
}

/** There only while an auction collects orders. It is no trade. */
function auctionFigures(quote: Quote | undefined): Figure[] {
  if (typeof quote?.iep !== "number") return [];
  return [
    ["Indicative", price(quote.iep)],
    ["Indic. qty", quantity(quote.ieq)],
  ];
}

export function greekFigures(book: Depth | undefined): Figure[] {
  const { greeks, iv } = book ?? {};
  if (!greeks) return [];
  return [
    ["Implied volatility", typeof iv === "number" ? `${price(iv * 100)}\u00a0%` : UNKNOWN],
    ["Delta", price(greeks.delta, 3)],
    ["Theta", price(greeks.theta)],
    ["Gamma", price(greeks.gamma, 4)],
    ["Vega", price(greeks.vega)],
  ];
}

export function referenceFigures({ instrument, reference }: InstrumentDetail): Figure[] {
  const figures: Figure[] = [
    ["Lower circuit", price(reference?.lower_circuit)],
    ["Upper circuit", price(reference?.upper_circuit)],
    ["Low of the year", price(reference?.year_low)],
    ["High of the year", price(reference?.year_high)],
    ["Lot", quantity(instrument.lot_size)],
    ["Tick", price(instrument.tick_size)],
  ];
  if (instrument.expiry) figures.push(["Expiry", instrument.expiry]);
  if (typeof instrument.strike === "number") figures.push(["Strike", price(instrument.strike)]);
  return figures;
}

/** Where the price is in its band: 0 at the lower circuit, 1 at the upper one; `null` without a band. */
export function bandPosition(
  ltp: number | null | undefined,
  reference: InstrumentDetail["reference"],
): number | null {
  const { lower_circuit: low, upper_circuit: high } = reference ?? {};
  if (typeof low !== "number" || typeof high !== "number" || high <= low) return null;
  return typeof ltp === "number" ? Math.min(1, Math.max(0, (ltp - low) / (high - low))) : null;
}

export function bandText(position: number | null): string {
  if (position === null) return "no band known";
  if (position >= 1) return "at the upper circuit";
  if (position <= 0) return "at the lower circuit";
  return `${Math.round(position * 100)}\u00a0% of the band`;
}
