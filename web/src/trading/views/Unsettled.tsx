/** Orders whose ticket was closed before their answer was known. */
import type { Desk } from "../../desk/desk.ts";
import type { Ticket } from "../ticket/ticket.ts";
import { commandText, isUnderway } from "../words.ts";

function Line({ desk, ticket }: { desk: Desk; ticket: Ticket }) {
  const { trading } = desk;
  const state = ticket.state.value;
  const { side, instrument } = ticket.subject;
  const isAsking = isUnderway(state);
  return (
    <li>
      <b>{`${side} ${ticket.order.value?.quantity ?? ""} ${instrument.symbol}:`}</b>{" "}
      {commandText(state)}{" "}
      <button type="button" onClick={() => trading.tickets.reopen(ticket)}>
        Open the ticket
      </button>
      {!isAsking && (
        <button type="button" onClick={() => trading.tickets.forget(ticket)}>
          Forget
        </button>
      )}
    </li>
  );
}

export function Unsettled({ desk }: { desk: Desk }) {
  const tickets = desk.trading.tickets.unsettled.value;
  if (tickets.length === 0) return null;
  return (
    <ul class="unsettled">
      {tickets.map((ticket, index) => (
        <Line key={index} desk={desk} ticket={ticket} />
      ))}
    </ul>
  );
}
