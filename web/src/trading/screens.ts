/** The shown parts of trading: the tab, the ticket, the question, the order with its events. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import type { Action } from "../ui/keys.ts";
import type { Question } from "./question.ts";
import type { Ticket } from "./ticket/ticket.ts";

export const TABS = ["open", "orders", "trades", "positions", "holdings", "account"] as const;
export type Tab = (typeof TABS)[number];
/** A phone shows one place at a time. */
export type Place = "market" | "trading";

const TAB_OF: Partial<Record<Action, Tab>> = {
  open_orders: "open",
  orders: "orders",
  trades: "trades",
  positions: "positions",
  holdings: "holdings",
  account: "account",
};

export class Screens {
  readonly #tab = signal<Tab>("open");
  readonly #place = signal<Place>("market");
  readonly #ticket = signal<Ticket | null>(null);
  readonly #question = signal<Question | null>(null);
  readonly #orderId = signal<string | null>(null);
  readonly #asked = signal(0);

  get tab(): ReadonlySignal<Tab> {
    return this.#tab;
  }

  get place(): ReadonlySignal<Place> {
    return this.#place;
  }

  get ticket(): ReadonlySignal<Ticket | null> {
    return this.#ticket;
  }

  get question(): ReadonlySignal<Question | null> {
    return this.#question;
  }

  /** The order whose events are shown. */
  get orderId(): ReadonlySignal<string | null> {
    return this.#orderId;
  }

  /** Counts the keys that asked for a tab: the focus goes there. */
  get asked(): ReadonlySignal<number> {
    return this.#asked;
  }

  show(tab: Tab): void {
    this.#tab.value = tab;
    this.#place.value = "trading";
  }

  /** Show the tab of a key's action, if it has one. */
  act(action: Action): void {
    const tab = TAB_OF[action];
    if (tab === undefined) return;
    this.show(tab);
    this.#asked.value += 1;
  }

  showMarket(): void {
    this.#place.value = "market";
  }

  openTicket(ticket: Ticket | null): void {
    this.#ticket.value = ticket;
  }

  ask(question: Question | null): void {
    this.#question.value = question;
  }

  showOrder(orderId: string | null): void {
    this.#orderId.value = orderId;
  }
}
