/** Orders of the day: those that can still be filled, or all. */
import type { Desk } from "../../desk/desk.ts";
import { quantity, timeOfDay } from "../../ui/format.ts";
import type { Action } from "../../ui/keys.ts";
import { exactPrice } from "../amount.ts";
import { isOpen, type Order } from "../messages.ts";
import { PRODUCTS, stateText, termsText } from "../words.ts";
import { InstrumentCell, RowButton, SideWord } from "./cells.tsx";
import { type Column, DataTable } from "./DataTable.tsx";

export function OrdersTable({ desk, isOpenOnly }: { desk: Desk; isOpenOnly: boolean }) {
  const { trading } = desk;
  const account = trading.account.value;
  const { orders } = trading.accounts.book(account).value;
  const rows = isOpenOnly ? orders.filter(isOpen) : orders;
  const act = (action: Action, order: Order) => {
    if (action === "details") trading.screens.showOrder(order.order_id);
    else if (!isOpen(order)) trading.tell("This order can no longer be changed.");
    else if (action === "modify") void trading.tickets.amend(order);
    else if (action === "cancel") void trading.questions.cancel(order);
  };
  const columns: readonly Column<Order>[] = [
    { title: "Time", cell: (order) => timeOfDay(order.created_at) },
    { title: "Side", cell: ({ side }) => <SideWord side={side} /> },
    {
      title: "Instrument",
      cell: ({ key }) => <InstrumentCell desk={desk} instrument={key} />,
    },
    { title: "Product", cell: ({ product }) => PRODUCTS[product] },
    {
      title: "Filled",
      class: "number",
      cell: (order) => `${quantity(order.filled_quantity)} / ${quantity(order.quantity)}`,
    },
    { title: "Terms", cell: (order) => `${termsText(order)} ${order.validity}` },
    {
      title: "Average",
      class: "number",
      cell: ({ average_price }) => exactPrice(average_price),
    },
    {
      title: "State",
      cell: (order) => (
        <span title={order.detail ?? undefined} data-state={order.state}>
          {stateText(order)}
          {order.external && <small> placed elsewhere</small>}
        </span>
      ),
    },
    {
      title: "Actions",
      class: "acts",
      cell: (order) => (
        <>
          <RowButton label="Events" onClick={() => act("details", order)} />
          {isOpen(order) && (
            <>
              <RowButton label="Change" onClick={() => act("modify", order)} />
              <RowButton label="Cancel" onClick={() => act("cancel", order)} />
            </>
          )}
        </>
      ),
    },
  ];
  return (
    <>
      <div class="acts-of-all">
        <button type="button" onClick={() => trading.questions.cancelAll(account)}>
          Cancel all open orders …
        </button>
      </div>
      <DataTable
        label={isOpenOnly ? "Open orders" : "Orders"}
        place="orders"
        columns={columns}
        rows={rows}
        idOf={(order) => order.order_id}
        onAction={act}
        empty={
          isOpenOnly
            ? "No open orders. Select an instrument in the watchlist, and press B to buy or S to sell."
            : "No orders today."
        }
      />
    </>
  );
}
