/** Trades of the day: each fill of an order. */
import type { Desk } from "../../desk/desk.ts";
import { quantity, timeOfDay } from "../../ui/format.ts";
import { Amount, exactPrice, rupees } from "../amount.ts";
import type { Trade } from "../messages.ts";
import { PRODUCTS } from "../words.ts";
import { InstrumentCell, SideWord } from "./cells.tsx";
import { type Column, DataTable } from "./DataTable.tsx";

export function TradesTable({ desk }: { desk: Desk }) {
  const { trading } = desk;
  const { trades } = trading.accounts.book(trading.account.value).value;
  const known = trading.instruments.known.value;
  const tradedValue = ({ key, price, quantity: units }: Trade) => {
    const instrument = known.get(key);
    if (instrument === undefined) return null;
    return Amount.of(price)
      .times(units)
      .times(instrument.multiplier ?? 1);
  };
  const columns: readonly Column<Trade>[] = [
    { title: "Time", cell: (trade) => timeOfDay(trade.traded_at) },
    { title: "Side", cell: ({ side }) => <SideWord side={side} /> },
    {
      title: "Instrument",
      cell: ({ key }) => <InstrumentCell desk={desk} instrument={key} />,
    },
    { title: "Product", cell: ({ product }) => PRODUCTS[product] },
    { title: "Quantity", class: "number", cell: (trade) => quantity(trade.quantity) },
    { title: "Price", class: "number", cell: ({ price }) => exactPrice(price) },
    { title: "Value", class: "number", cell: (trade) => rupees(tradedValue(trade)) },
  ];
  return (
    <DataTable
      label="Trades"
      place="orders"
      columns={columns}
      rows={trades}
      idOf={(trade) => trade.trade_id}
      onAction={(action, { order_id }) =>
        action === "details" && trading.screens.showOrder(order_id)
      }
      empty="No trades today."
    />
  );
}
