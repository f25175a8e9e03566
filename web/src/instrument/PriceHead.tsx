/** The name of an instrument, its price and the price's age. */
import type { ReadonlySignal } from "@preact/signals-core";
import type { ComponentChildren } from "preact";
import type { Desk } from "../desk/desk.ts";
import { changeOf, percentOf, timeText, toneOf, WAITING } from "../market/price_texts.ts";
import { percent, price, signed, UNKNOWN } from "../ui/format.ts";

interface PriceHeadProps {
  readonly revision: ReadonlySignal<number>;
  readonly desk: Desk;
  readonly instrumentKey: string;
  readonly symbol: string;
  readonly name: string;
  readonly onLeave: () => void;
  /** Controls for the instrument. */
  readonly children: ComponentChildren;
}

export function PriceHead(props: PriceHeadProps) {
  const { desk, instrumentKey, symbol, name, onLeave, children } = props;
  props.revision.value;
  const { market, subscriptions } = desk;
  const quote = market.quotes.get(instrumentKey)?.quote;
  const outcome = subscriptions.outcome("quotes", instrumentKey);
  const change = quote === undefined ? UNKNOWN : signed(changeOf(quote));
  const inPercent = quote === undefined ? UNKNOWN : percent(percentOf(quote));
  const time =
    quote === undefined ? WAITING[outcome] : timeText(market.freshnessOf(instrumentKey), quote);
  return (
    <header class="price-head">
      <button type="button" onClick={onLeave}>
        ← List
      </button>
      <h2>
        {symbol} <small class="muted">{instrumentKey.split("|")[0]}</small>
      </h2>
      {/* Before what changes with the price: they stay where they are. */}
      <span class="sides">{children}</span>
      <span class="name muted">{name}</span>
      <strong class="ltp">{price(quote?.ltp)}</strong>
      <span class={toneOf(change)}>
        {change} ({inPercent})
      </span>
      <span class="time">{time}</span>
    </header>
  );
}
