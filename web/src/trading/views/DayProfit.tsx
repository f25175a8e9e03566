/** Profit and loss of the day in the shown account, after charges, at the newest prices. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Desk } from "../../desk/desk.ts";
import { toneOf } from "../../market/price_texts.ts";
import { UNKNOWN } from "../../ui/format.ts";
import { profitOf, total } from "../account/profit.ts";
import { profit } from "../amount.ts";

export function DayProfit({ desk }: { desk: Desk }) {
  const { trading, market, painter } = desk;
  const text = useSignal(UNKNOWN);
  const tone = useSignal("");
  const book = trading.accounts.book(trading.account.value).value;
  const { positions, charges } = book;
  const known = trading.instruments.known.value;
  useEffect(() => {
    const paint = () => {
      const profits = positions.map((position) => {
        const instrument = known.get(position.key);
        const multiplier = instrument === undefined ? null : (instrument.multiplier ?? 1);
        return profitOf(position, market.quotes.get(position.key)?.quote.ltp, multiplier);
      });
      const isStale = positions.some(
        ({ key, quantity }) => quantity !== 0 && market.freshnessOf(key).kind === "stale",
      );
      text.value = book.funds === null ? UNKNOWN : profit(total(profits, charges));
      tone.value = isStale ? "muted" : toneOf(text.value);
    };
    paint();
    const stops = positions.map(({ key }) => painter.watch(key, paint));
    return () => {
      for (const stop of stops) stop();
    };
  }, [desk, book, known]);
  return (
    <>
      <dt>{charges === null ? "P&L before charges" : "P&L after charges"}</dt>
      <dd class={tone} id="day-profit">
        {text}
      </dd>
    </>
  );
}
