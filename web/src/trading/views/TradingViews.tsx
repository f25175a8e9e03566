/** Everything of trading on the page: the dock, a phone's bottom bar, and what is open above them. */
import type { Desk } from "../../desk/desk.ts";
import { TicketDialog } from "../ticket/TicketDialog.tsx";
import { BottomBar } from "./BottomBar.tsx";
import { ConfirmDialog } from "./ConfirmDialog.tsx";
import { Dock } from "./Dock.tsx";
import { OrderDialog } from "./OrderDialog.tsx";

interface TradingViewsProps {
  readonly desk: Desk;
  readonly onList: () => void;
}

export function TradingViews({ desk, onList }: TradingViewsProps) {
  const { screens } = desk.trading;
  const ticket = screens.ticket.value;
  const question = screens.question.value;
  const orderId = screens.orderId.value;
  return (
    <>
      <Dock desk={desk} />
      <BottomBar desk={desk} onList={onList} />
      {orderId !== null && <OrderDialog key={orderId} desk={desk} orderId={orderId} />}
      {ticket !== null && <TicketDialog desk={desk} ticket={ticket} />}
      {question !== null && <ConfirmDialog desk={desk} question={question} />}
    </>
  );
}
