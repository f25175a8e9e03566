/** Delivered shares, and shares that arrive on the next trading day. */
import type { Desk } from "../../desk/desk.ts";
import { quantity } from "../../ui/format.ts";
import type { Action } from "../../ui/keys.ts";
import { Amount, exactPrice, rupees } from "../amount.ts";
import type { Holding } from "../messages.ts";
import { InstrumentCell, LivePrice } from "./cells.tsx";
import { type Column, DataTable } from "./DataTable.tsx";

export function HoldingsTable({ desk }: { desk: Desk }) {
  const { trading } = desk;
  const { holdings } = trading.accounts.book(trading.account.value).value;
  const act = (action: Action, holding: Holding) => {
    const side = action === "sell" ? "SELL" : "BUY";
    const lots = String(holding.quantity + holding.t1_quantity);
    if (action === "buy" || action === "sell") {
      void trading.tickets.open(holding.key, side, { product: "D", lots });
    }
  };
  const columns: readonly Column<Holding>[] = [
    {
      title: "Instrument",
      cell: ({ key }) => <InstrumentCell desk={desk} instrument={key} />,
    },
    { title: "Quantity", class: "number", cell: (holding) => quantity(holding.quantity) },
    {
      title: "Arriving",
      class: "number",
      cell: ({ t1_quantity }) => quantity(t1_quantity),
    },
    { title: "Average", class: "number", cell: ({ average_price }) => exactPrice(average_price) },
    {
      title: "Cost",
      class: "number",
      cell: ({ average_price, quantity: units, t1_quantity }) =>
        rupees(Amount.of(average_price).times(units + t1_quantity)),
    },
    {
      title: "LTP",
      class: "number",
      cell: ({ key }) => <LivePrice desk={desk} instrument={key} />,
    },
  ];
  return (
    <DataTable
      label="Holdings"
      place="positions"
      columns={columns}
      rows={holdings}
      idOf={({ key }) => key}
      onAction={act}
      empty="No holdings. Shares bought for delivery arrive on the next trading day."
    />
  );
}
