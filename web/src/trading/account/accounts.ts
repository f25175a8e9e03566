/** The user's accounts: books, limits and link, read once and then kept current by events. */
import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import type { Cancel, Clock } from "../../clock.ts";
import type { TradingCalls } from "../calls.ts";
import type { Account, Limits, Order, UserEvent } from "../messages.ts";
import { applied, type Book, bookOf, EMPTY, withOrder } from "./book.ts";
import { UpstoxLink } from "./link.ts";

export interface AccountsPorts {
  readonly calls: TradingCalls;
  readonly clock: Clock;
  /** The user's account was reset, or its trading day has ended. */
  readonly onNewDay: () => void;
}

/** News of an order at Upstox come one by one; its books are read after the last of some. */
const UPSTOX_PAUSE_MS = 1_000;

export class Accounts {
  readonly link: UpstoxLink;
  readonly #books: Readonly<Record<Account, Signal<Book>>> = {
    paper: signal(EMPTY),
    upstox: signal(EMPTY),
  };
  readonly #limits: Readonly<Record<Account, Signal<Limits | null>>> = {
    paper: signal(null),
    upstox: signal(null),
  };
  readonly #trouble = signal<unknown>(null);
  readonly #readMs = signal<number | null>(null);
  readonly #ports: AccountsPorts;
  /** Counts the reads of the account at Upstox: only the newest is kept. */
  #upstoxTurn = 0;
  #cancelTimer: Cancel = () => {};

  constructor(ports: AccountsPorts) {
    this.#ports = ports;
    this.link = new UpstoxLink(ports.calls);
  }

  book(account: Account): ReadonlySignal<Book> {
    return this.#books[account];
  }

  limits(account: Account): ReadonlySignal<Limits | null> {
    return this.#limits[account];
  }

  /** Why the account at Upstox, or its link, cannot be read. */
  get trouble(): ReadonlySignal<unknown> {
    return this.#trouble;
  }

  /** When the account at Upstox was read: no event brings its positions and funds. */
  get upstoxReadMs(): ReadonlySignal<number | null> {
    return this.#readMs;
  }

  /** Throws what a request does. The account at Upstox has a trouble of its own. */
  async read(): Promise<void> {
    this.#show("paper", await this.#readBook("paper"));
    await this.readUpstox();
  }

  /** A failure is kept as the trouble of the account: the paper account works without it. */
  async readUpstox(): Promise<void> {
    this.#cancelTimer();
    this.#upstoxTurn += 1;
    const turn = this.#upstoxTurn;
    try {
      await this.link.read();
      if (turn !== this.#upstoxTurn) return; // a newer read says it all
      if (!this.link.isLinked) {
        batch(() => {
          this.#show("upstox", [EMPTY, null]);
          this.#trouble.value = null;
        });
        return;
      }
      const read = await this.#readBook("upstox");
      if (turn !== this.#upstoxTurn) return;
      batch(() => {
        this.#show("upstox", read);
        this.#readMs.value = this.#ports.clock.now();
        this.#trouble.value = null;
      });
    } catch (error) {
      if (turn === this.#upstoxTurn) this.#trouble.value = error;
    }
  }

  apply(events: readonly UserEvent[]): void {
    let isNewDay = false;
    batch(() => {
      for (const event of events) {
        isNewDay ||= event.kind === "funds";
        if (event.limits) this.#applyLimits(event.limits);
        else this.#applyTo(event.order?.account ?? event.funds?.account ?? "paper", event);
      }
    });
    if (isNewDay) this.#ports.onNewDay();
  }

  /** The answer to a command: its event may come later. */
  learn(orders: readonly Order[]): void {
    batch(() => {
      for (const order of orders) {
        const book = this.#books[order.account];
        book.value = withOrder(book.peek(), order);
      }
    });
  }

  async readLimits(): Promise<void> {
    this.#applyLimits(await this.#ports.calls.limits("paper"));
  }

  stop(): void {
    this.#cancelTimer();
  }

  async #readBook(account: Account): Promise<[Book, Limits]> {
    const { calls } = this.#ports;
    const [orders, trades, positions, holdings, funds, limits] = await Promise.all([
      calls.orders(account),
      calls.trades(account),
      calls.positions(account),
      calls.holdings(account),
      calls.funds(account),
      calls.limits(account),
    ]);
    return [bookOf({ orders, trades, positions, holdings, funds }), limits];
  }

  #show(account: Account, [book, limits]: [Book, Limits | null]): void {
    batch(() => {
      this.#books[account].value = book;
      this.#limits[account].value = limits;
    });
  }

  #applyTo(account: Account, event: UserEvent): void {
    const book = this.#books[account];
    book.value = applied(book.peek(), event);
    if (account === "upstox") this.#readUpstoxLater();
  }

  /** The switch is that of both accounts; the loss lock at Upstox is its own, and read there. */
  #applyLimits(limits: Limits): void {
    this.#limits.paper.value = limits;
    if (this.link.isLinked) this.#readUpstoxLater();
  }

  #readUpstoxLater(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#ports.clock.later(UPSTOX_PAUSE_MS, () => void this.readUpstox());
  }
}
