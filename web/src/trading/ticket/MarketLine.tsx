/** The market of the ticket's instrument: LTP, best bid and ask, and how old they are. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Desk } from "../../desk/desk.ts";
import { price, quantity } from "../../ui/format.ts";
import { LivePrice } from "../views/cells.tsx";
import type { Ticket } from "./ticket.ts";

export function MarketLine({ desk, ticket }: { desk: Desk; ticket: Ticket }) {
  const { key } = ticket.subject.instrument;
  const best = useSignal("");
  useEffect(
    () =>
      desk.painter.watch(key, () => {
        const quote = desk.market.quotes.get(key)?.quote;
        const bid = `Bid ${price(quote?.bid)} × ${quantity(quote?.bid_qty)}`;
        ticket.isStale.value = desk.market.freshnessOf(key).kind === "stale";
        best.value = `${bid} · Ask ${price(quote?.ask)} × ${quantity(quote?.ask_qty)}`;
      }),
    [desk, key],
  );
  return (
    <p class="market-line">
      LTP <LivePrice desk={desk} instrument={key} /> <span class="muted">{best}</span>
    </p>
  );
}
