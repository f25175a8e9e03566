/** The tickets of a user: opened, sent, closed, and kept while it is not known what became of their order. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import { Declined, NotKnown } from "../api/problems.ts";
import type { Quote } from "../stream/protocol.ts";
import type { Accounts } from "./account/accounts.ts";
import type { Instruments } from "./account/instruments.ts";
import { typedPrice } from "./amount.ts";
import type { TradingCalls } from "./calls.ts";
import type { CommandPorts, CommandState } from "./command.ts";
import type { Account, Order, Side } from "./messages.ts";
import type { Screens } from "./screens.ts";
import { changesOf, type Fields } from "./ticket/terms.ts";
import { Ticket } from "./ticket/ticket.ts";
import { orderText, stateText } from "./words.ts";

export interface TicketsPorts extends CommandPorts {
  readonly calls: Pick<TradingCalls, "preview" | "previewChanges" | "place" | "modify">;
  readonly accounts: Pick<Accounts, "learn" | "book">;
  readonly instruments: Pick<Instruments, "get">;
  readonly screens: Screens;
  /** The account that a new ticket begins with. */
  readonly account: ReadonlySignal<Account>;
  readonly follow: (keys: readonly string[]) => void;
  readonly unfollow: (keys: readonly string[]) => void;
  readonly quoteOf: (key: string) => Quote | undefined;
  readonly tell: (news: string) => void;
  readonly report: (trouble: unknown) => void;
}

export class Tickets {
  readonly #unsettled = signal<readonly Ticket[]>([]);
  readonly #ports: TicketsPorts;

  constructor(ports: TicketsPorts) {
    this.#ports = ports;
  }

  /** Tickets that were closed while the answer to their order was not known. */
  get unsettled(): ReadonlySignal<readonly Ticket[]> {
    return this.#unsettled;
  }

  open(key: string, side: Side, start: Partial<Fields> = {}): Promise<void> {
    return this.#open(key, side, null, start);
  }

  /** A ticket that changes an open order. */
  amend(order: Order): Promise<void> {
    return this.#open(order.key, order.side, order, {});
  }

  /** Send the ticket's order; the ticket closes when the order has arrived. */
  async send(ticket: Ticket): Promise<void> {
    try {
      this.#settle(ticket, await ticket.send());
    } catch (error) {
      this.#ports.report(error);
    }
  }

  /** A ticket whose answer is not known is kept, with its key. */
  close(ticket: Ticket): void {
    const { screens, unfollow } = this.#ports;
    if (screens.ticket.peek() !== ticket) return;
    screens.openTicket(null);
    ticket.stop();
    unfollow([ticket.subject.instrument.key]);
    const { kind } = ticket.state.peek();
    this.forget(ticket);
    if (kind !== "sending" && kind !== "unknown") return;
    this.#unsettled.value = [...this.#unsettled.peek(), ticket];
  }

  reopen(ticket: Ticket): void {
    this.#ports.follow([ticket.subject.instrument.key]);
    this.#ports.screens.openTicket(ticket);
  }

  forget(ticket: Ticket): void {
    this.#unsettled.value = this.#unsettled.peek().filter((one) => one !== ticket);
  }

  stop(): void {
    this.#ports.screens.ticket.peek()?.stop();
  }

  async #open(
    key: string,
    side: Side,
    amended: Order | null,
    fields: Partial<Fields>,
  ): Promise<void> {
    const { screens, instruments, account, follow, report } = this.#ports;
    if (key.includes("_INDEX|")) {
      report(new Declined("An index cannot be ordered."));
      return;
    }
    const instrument = await instruments.get(key).catch((error: unknown) => {
      report(error);
      return undefined;
    });
    if (instrument === undefined) return;
    if (screens.ticket.peek() !== null) return;
    if (instrument === null) {
      report(new NotKnown(`Nothing is known of the instrument ${key}.`));
      return;
    }
    follow([key]);
    const start: Fields = {
      account: account.peek(),
      product: "I",
      orderType: "LIMIT",
      validity: "DAY",
      lots: "1",
      price: this.#priceOf(key, side),
      trigger: "",
      disclosed: "",
      ...fields,
    };
    const { calls, clock, random, newKey } = this.#ports;
    const subject = { instrument, side, amended };
    screens.openTicket(
      new Ticket(subject, start, {
        clock,
        random,
        newKey,
        preview: (order, abort) => {
          if (amended === null) return calls.preview(order, abort);
          return calls.previewChanges(amended.order_id, changesOf(order, amended), abort);
        },
        place: (order, commandKey) => calls.place(order, commandKey),
        modify: (orderId, changes, commandKey) => calls.modify(orderId, changes, commandKey),
      }),
    );
  }

  /** The best price of the other side; without one the LTP, or nothing. */
  #priceOf(key: string, side: Side): string {
    const quote = this.#ports.quoteOf(key);
    const best = (side === "BUY" ? quote?.ask : quote?.bid) ?? quote?.ltp;
    return best === undefined || best === null ? "" : typedPrice(best);
  }

  #settle(ticket: Ticket, state: CommandState<Order>): void {
    const { screens, accounts, tell, report } = this.#ports;
    const isClosed = screens.ticket.peek() !== ticket;
    if (state.kind === "refused" && isClosed) report(state.error);
    if (state.kind === "refused" || state.kind === "done") this.forget(ticket);
    if (state.kind !== "done") return;
    const { answer } = state;
    accounts.learn([answer]);
    const { orders } = accounts.book(answer.account).peek();
    const newest = orders.find(({ order_id }) => order_id === answer.order_id);
    const { symbol } = ticket.subject.instrument;
    // The news of a fill may have overtaken the answer.
    if (newest === answer) tell(`${orderText(answer, symbol)}: ${stateText(answer)}`);
    this.close(ticket);
  }
}
