/** The user's accounts: books, limits and link, read once and then kept current by events. */
import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import type { Cancel, Clock } from "../../clock.ts";
import type { TradingCalls } from "../calls.ts";
import type { Account, Limits, Order, UserEvent } from "../messages.ts";
import {
  applied,
  type Book,
  NOTHING,
  UNREAD,
  withOrder,
  withOrders,
  withPositions,
} from "./book.ts";
import { UpstoxLink } from "./link.ts";

export interface AccountsPorts {
  readonly calls: TradingCalls;
  readonly clock: Clock;
  /** The user's account was reset, or its trading day has ended. */
  readonly onNewDay: () => void;
}

/** News of an order at Upstox come one by one; its books are read after the last of some. */
const UPSTOX_PAUSE_MS = 1_000;
/** No event reports the end of a login that Upstox asks the user for, so the link is read again. */
const WAITING_PAUSE_MS = 10_000;

type Change = (book: Book) => Book;
const same: Change = (book) => book;

export class Accounts {
  readonly link: UpstoxLink;
  readonly #books: Readonly<Record<Account, Signal<Book>>> = {
    paper: signal(UNREAD),
    upstox: signal(UNREAD),
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
  /** What has changed in the account at Upstox since its read began; `null` while none runs. */
  #changes: Change[] | null = null;
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
    const [orders, positions, limits] = await Promise.all([
      this.#readOrders("paper"),
      this.#readPositions("paper"),
      this.#ports.calls.limits("paper"),
    ]);
    batch(() => {
      this.#books.paper.value = positions(orders(UNREAD));
      this.#limits.paper.value = limits;
    });
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
      if (this.link.hasAccount) await this.#readLinked(turn);
      else this.#showUnlinked();
    } catch (error) {
      if (turn === this.#upstoxTurn) this.#trouble.value = error;
    }
    const isWaiting = this.link.state.peek()?.state === "waiting";
    if (isWaiting && turn === this.#upstoxTurn) this.#readUpstoxLater(WAITING_PAUSE_MS);
  }

  /** Orders and trades are known here also if Upstox does not answer, or the login has ended. */
  async #readLinked(turn: number): Promise<void> {
    const changes: Change[] = [];
    this.#changes = changes;
    const [orders, positions, limits] = await Promise.allSettled([
      this.#readOrders("upstox"),
      this.#readPositions("upstox"),
      this.#ports.calls.limits("upstox"),
    ]);
    if (turn !== this.#upstoxTurn) return;
    const read = [orders, positions].map((one) => (one.status === "fulfilled" ? one.value : same));
    batch(() => {
      const book = this.#books.upstox;
      book.value = [...read, ...changes].reduce((before, change) => change(before), book.peek());
      if (limits.status === "fulfilled") this.#limits.upstox.value = limits.value;
      if (positions.status === "fulfilled") this.#readMs.value = this.#ports.clock.now();
      const failed = [orders, positions, limits].find((one) => one.status === "rejected");
      this.#trouble.value = failed?.reason ?? null;
    });
    this.#changes = null;
  }

  #showUnlinked(): void {
    batch(() => {
      this.#books.upstox.value = NOTHING;
      this.#limits.upstox.value = null;
      this.#trouble.value = null;
    });
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
      for (const order of orders) this.#change(order.account, (book) => withOrder(book, order));
    });
  }

  async readLimits(): Promise<void> {
    this.#applyLimits(await this.#ports.calls.limits("paper"));
  }

  stop(): void {
    this.#upstoxTurn += 1;
    this.#cancelTimer();
  }

  async #readOrders(account: Account): Promise<Change> {
    const { calls } = this.#ports;
    const [orders, trades] = await Promise.all([calls.orders(account), calls.trades(account)]);
    return (book) => withOrders(book, orders, trades);
  }

  async #readPositions(account: Account): Promise<Change> {
    const { calls } = this.#ports;
    const [positions, holdings, funds] = await Promise.all([
      calls.positions(account),
      calls.holdings(account),
      calls.funds(account),
    ]);
    return (book) => withPositions(book, positions, holdings, funds);
  }

  #change(account: Account, change: Change): void {
    const book = this.#books[account];
    book.value = change(book.peek());
    if (account === "upstox") this.#changes?.push(change);
  }

  #applyTo(account: Account, event: UserEvent): void {
    this.#change(account, (book) => applied(book, event));
    if (account === "upstox") this.#readUpstoxLater();
  }

  /** The switch is that of both accounts; the loss lock at Upstox is its own, and read there. */
  #applyLimits(limits: Limits): void {
    this.#limits.paper.value = limits;
    if (this.link.isLinked) this.#readUpstoxLater();
  }

  #readUpstoxLater(pauseMs = UPSTOX_PAUSE_MS): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#ports.clock.later(pauseMs, () => void this.readUpstox());
  }
}
