import { expect, test } from "vitest";
import type { Quote } from "../stream/protocol.ts";
import { bandPosition, bandText, dayFigures, greekFigures, referenceFigures } from "./figures.ts";

const QUOTE: Quote = { key: "A", epoch: 1, seq: 1, ts: 1, rt: 1, open: 1234567.5 };

test("what is not known is a dash, and numbers have Indian groups", () => {
  const figures = new Map(dayFigures(QUOTE));
  expect(figures.get("Open")).toBe("12,34,567.50");
  expect(figures.get("High")).toBe("–");
  expect(new Map(dayFigures(undefined)).get("Volume")).toBe("–");
});

test("an indicative price is shown only during an auction, and called so", () => {
  expect(dayFigures(QUOTE).map(([name]) => name)).not.toContain("Indicative");
  const auction = new Map(dayFigures({ ...QUOTE, iep: 10, ieq: 5 }));
  expect(auction.get("Indicative")).toBe("10.00");
});

test("only options have greeks", () => {
  const book = { key: "A", epoch: 1, seq: 1, ts: 1, rt: 1, bids: [], asks: [] };
  expect(greekFigures(book)).toEqual([]);
  const greeks = { delta: 0.5123, theta: -3, gamma: 0.0012, vega: 7, rho: 1 };
  expect(new Map(greekFigures({ ...book, greeks, iv: 0.1234 })).get("Implied volatility")).toBe(
    "12.34\u00a0%",
  );
});

test("the band says where the price is in it", () => {
  const band = { taken_at: 1, lower_circuit: 90, upper_circuit: 110 };
  expect(bandText(bandPosition(100, band))).toBe("50\u00a0% of the band");
  expect(bandText(bandPosition(110, band))).toBe("at the upper circuit");
  expect(bandText(bandPosition(80, band))).toBe("at the lower circuit");
  expect(bandText(bandPosition(80, { taken_at: 1 }))).toBe("no band known");
  expect(bandPosition(null, band)).toBeNull();
});

test("an expiry and a strike are those of derivatives", () => {
  const share = { ...{ key: "A", symbol: "A", name: "A", segment: "NSE_EQ", exchange: "NSE" } };
  const instrument = { ...share, type: "EQ", has_derivatives: false };
  expect(referenceFigures({ instrument }).map(([name]) => name)).not.toContain("Strike");
  const option = { ...instrument, expiry: "2026-12-31", strike: 1400 };
  expect(new Map(referenceFigures({ instrument: option })).get("Strike")).toBe("1,400.00");
});
