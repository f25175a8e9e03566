/** The order ticket: its fields, what the server says of them, and what became of the order. */
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Desk } from "../../desk/desk.ts";
import { quantity } from "../../ui/format.ts";
import { Dialog } from "../views/Dialog.tsx";
import { ACCOUNTS, commandText, isUnderway } from "../words.ts";
import { Choice, NumberField } from "./fields.tsx";
import { MarketLine } from "./MarketLine.tsx";
import { PreviewView } from "./PreviewView.tsx";
import { hasLimit, hasTrigger, productsOf } from "./terms.ts";
import type { Ticket } from "./ticket.ts";
import "./ticket.css";

function title(ticket: Ticket): string {
  const { side, instrument, amended } = ticket.subject;
  return `${amended === null ? side : `Change ${side}`} ${instrument.symbol}`;
}

export function TicketDialog({ desk, ticket }: { desk: Desk; ticket: Ticket }) {
  const { trading } = desk;
  const { subject, lot } = ticket;
  const fields = ticket.fields.value;
  const state = ticket.state.value;
  const form = useRef<HTMLFormElement>(null);
  const isNew = subject.amended === null;
  const isBuy = subject.side === "BUY";
  const link = trading.accounts.link.state.value;
  const isLiveAllowed = link?.state === "linked" && link.live_trading;
  const isAsking = isUnderway(state);
  const units = ticket.order.value?.quantity ?? null;

  useLayoutEffect(
    () => form.current?.querySelector<HTMLInputElement>("input[name=lots]")?.select(),
    [],
  );

  const send = (event: SubmitEvent) => {
    event.preventDefault();
    void trading.tickets.send(ticket);
  };
  const submitText = (): string => {
    if (state.kind === "unknown") return "Ask again";
    const what = isNew ? (isBuy ? "Buy" : "Sell") : "Change";
    const order = units === null ? what : `${what} ${quantity(units)}`;
    if (ticket.isAskedOnceMore.value) return `${order} with real money`;
    return fields.account === "paper" ? `${order} on paper` : `${order} at Upstox …`;
  };
  return (
    <Dialog
      class={`ticket ${isBuy ? "is-buy" : "is-sell"} ${fields.account}`}
      title={
        <>
          <span class={isBuy ? "buy" : "sell"}>{title(ticket)}</span>{" "}
          <span class="where">{ACCOUNTS[fields.account]}</span>
        </>
      }
      onClose={() => trading.tickets.close(ticket)}
    >
      <MarketLine desk={desk} ticket={ticket} />
      <form ref={form} onSubmit={send} noValidate>
        <fieldset disabled={ticket.isFixed} class="fields">
          <legend class="unseen">Order</legend>
          {isNew && (
            <>
              <Choice
                ticket={ticket}
                field="account"
                title="Account"
                names={ACCOUNTS}
                isLiveOff={!isLiveAllowed}
              />
              <Choice
                ticket={ticket}
                field="product"
                title="Product"
                names={productsOf(subject.instrument)}
              />
            </>
          )}
          <Choice
            ticket={ticket}
            field="orderType"
            title="Type"
            names={{ LIMIT: "Limit", MARKET: "Market", SL: "SL", "SL-M": "SL-M" }}
          />
          <Choice
            ticket={ticket}
            field="validity"
            title="Validity"
            names={{ DAY: "Day", IOC: "IOC" }}
          />
          <div class="numbers">
            <NumberField
              ticket={ticket}
              field="lots"
              title={lot === 1 ? "Quantity" : `Lots of ${quantity(lot)}`}
              isWhole={true}
            />
            {hasLimit(fields.orderType) && (
              <NumberField ticket={ticket} field="price" title="Price" isWhole={false} />
            )}
            {hasTrigger(fields.orderType) && (
              <NumberField ticket={ticket} field="trigger" title="Trigger" isWhole={false} />
            )}
            <NumberField
              ticket={ticket}
              field="disclosed"
              title={lot === 1 ? "Disclosed" : "Disclosed lots"}
              isWhole={true}
            />
          </div>
        </fieldset>
        <PreviewView ticket={ticket} />
        <div role="alert" class="trouble">
          {ticket.troubles.map((text) => (
            <p key={text}>{text}</p>
          ))}
          {ticket.isAskedOnceMore.value && state.kind === "new" && (
            <p class="once-more">
              This is a real order, with real money. Press the button again to send it.
            </p>
          )}
          {ticket.isBlind && <p>The price is stale: an order at the market would be blind.</p>}
          {commandText(state) && <p class="unknown">{commandText(state)}</p>}
        </div>
        <div class="buttons">
          <button
            type="submit"
            class={`send ${isBuy ? "send-buy" : "send-sell"}`}
            disabled={!ticket.canSend || isAsking}
            aria-disabled={ticket.isReading.value}
          >
            {submitText()}
          </button>
          <button type="button" onClick={() => trading.tickets.close(ticket)}>
            Close
          </button>
        </div>
      </form>
    </Dialog>
  );
}
