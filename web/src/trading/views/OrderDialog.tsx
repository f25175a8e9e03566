/** One order with its terms and its events. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { sentence } from "../../api/problems.ts";
import type { Desk } from "../../desk/desk.ts";
import { type Figure, FigureList } from "../../ui/FigureList.tsx";
import { quantity, timeOfDay } from "../../ui/format.ts";
import { exactPrice, rupees } from "../amount.ts";
import type { Order, OrderDetail } from "../messages.ts";
import { ACCOUNTS, PRODUCTS, stateText, termsText } from "../words.ts";
import { Dialog } from "./Dialog.tsx";
import { eventLines } from "./order_events.ts";

function facts(order: Order): readonly Figure[] {
  return [
    ["Account", ACCOUNTS[order.account]],
    ["State", stateText(order)],
    ["Reason", order.detail ?? ""],
    ["Terms", `${termsText(order)} ${order.validity}, ${PRODUCTS[order.product]}`],
    ["Filled", `${quantity(order.filled_quantity)} of ${quantity(order.quantity)}`],
    ["Average", order.average_price ? exactPrice(order.average_price) : ""],
    ["Charges", order.charges ? rupees(order.charges) : ""],
    ["Order", order.order_id],
    ["Upstox's order", (order.account === "upstox" && order.broker_order_id) || ""],
  ];
}

export function OrderDialog({ desk, orderId }: { desk: Desk; orderId: string }) {
  const { trading } = desk;
  const detail = useSignal<OrderDetail | null>(null);
  const trouble = useSignal("");
  const newest = trading.accounts
    .book(trading.account.value)
    .value.orders.find((one) => one.order_id === orderId);
  useEffect(() => {
    let isShown = true;
    trading.calls.order(orderId).then(
      (found) => {
        if (isShown) detail.value = found;
      },
      (error: unknown) => {
        if (isShown) trouble.value = sentence(error);
      },
    );
    return () => {
      isShown = false;
    };
  }, [orderId, newest?.event_count]);

  const order = newest ?? detail.value?.order;
  const title =
    order === undefined
      ? "Order"
      : `${order.side} ${quantity(order.quantity)} ${trading.instruments.symbolOf(order.key)}`;
  return (
    <Dialog title={title} class="details" onClose={() => trading.screens.showOrder(null)}>
      {order !== undefined && (
        <FigureList label="Order" figures={facts(order).filter(([, value]) => value !== "")} />
      )}
      <h3>Events</h3>
      <p role="status" class="trouble">
        {trouble}
      </p>
      <ol class="events">
        {eventLines(detail.value?.events ?? []).map(({ atMs, text }, index) => (
          <li key={index}>
            <time>{timeOfDay(atMs)}</time> {text}
          </li>
        ))}
      </ol>
      <div class="buttons">
        <button type="button" data-first onClick={() => trading.screens.showOrder(null)}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
