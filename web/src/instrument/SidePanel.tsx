/** Beside the chart: order book, day, band and trades. */
import type { ReadonlySignal } from "@preact/signals-core";
import type { Desk } from "../desk/desk.ts";
import { FigureList } from "../ui/FigureList.tsx";
import { price } from "../ui/format.ts";
import { DepthTable } from "./DepthTable.tsx";
import { bandPosition, bandText, dayFigures, greekFigures, referenceFigures } from "./figures.ts";
import type { Instrument } from "./instrument.ts";
import { TapeTable } from "./TapeTable.tsx";

interface SidePanelProps {
  readonly revision: ReadonlySignal<number>;
  readonly desk: Desk;
  readonly instrument: Instrument;
}

export function SidePanel({ revision, desk, instrument }: SidePanelProps) {
  revision.value;
  const { key } = instrument;
  const quote = desk.market.quotes.get(key)?.quote;
  const held = desk.market.books.get(key);
  const detail = instrument.detail.value;
  const reference = detail.kind === "known" ? detail.detail.reference : null;
  const position = bandPosition(quote?.ltp, reference);
  const greeks = greekFigures(held?.book);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: keys scroll it
    <section class="side" aria-label="Depth, day and trades" tabIndex={0}>
      <div data-age={held?.isBeforeCut ? "stale" : "fresh"}>
        <DepthTable book={held?.book} />
        <p class="totals muted">
          Buyers {price(quote?.tbq, 0)} · Sellers {price(quote?.tsq, 0)}
        </p>
      </div>
      <FigureList label="Day" isShort figures={dayFigures(quote)} />
      {greeks.length > 0 && <FigureList label="Greeks" figures={greeks} />}
      <h3>Trades</h3>
      <TapeTable prints={instrument.tape.prints} />
      {detail.kind === "known" && (
        <>
          {position !== null && (
            <p class="band">
              <i style={{ "--at": `${position * 100}%` }} />
              {bandText(position)}
            </p>
          )}
          <FigureList label="Reference" figures={referenceFigures(detail.detail)} />
          {!reference && <p class="muted">Upstox does not tell band and year at the moment.</p>}
        </>
      )}
      <p class="credit">
        <a href="https://www.tradingview.com/" target="_blank" rel="noopener noreferrer">
          Chart by TradingView
        </a>
      </p>
    </section>
  );
}
