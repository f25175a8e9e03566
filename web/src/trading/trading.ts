/** Trading of a logged-in user, made of its parts: accounts that follow events, tickets, questions. */
import { effect, type ReadonlySignal, signal, untracked } from "@preact/signals-core";
import type { Client } from "../api/client.ts";
import type { Lines } from "../instrument/lines.ts";
import type { Quote } from "../stream/protocol.ts";
import { Accounts } from "./account/accounts.ts";
import { Follower } from "./account/follower.ts";
import { Instruments } from "./account/instruments.ts";
import { TradingCalls } from "./calls.ts";
import { linesOf } from "./chart_lines.ts";
import type { CommandPorts } from "./command.ts";
import type { Account, UserEvent } from "./messages.ts";
import { newsOf } from "./news.ts";
import { Questions } from "./questions.ts";
import { Screens } from "./screens.ts";
import { Tickets } from "./tickets.ts";

export interface TradingPorts extends CommandPorts {
  readonly client: Client;
  readonly follow: (keys: readonly string[]) => void;
  readonly unfollow: (keys: readonly string[]) => void;
  readonly quoteOf: (key: string) => Quote | undefined;
  /** Orders and positions of the shown account, for charts. */
  readonly lines: Pick<Lines, "replace">;
  readonly report: (trouble: unknown) => void;
}

export class Trading {
  readonly calls: TradingCalls;
  readonly accounts: Accounts;
  readonly follower: Follower;
  readonly instruments: Instruments;
  readonly screens = new Screens();
  readonly tickets: Tickets;
  readonly questions: Questions;
  readonly #account = signal<Account>("paper");
  readonly #news = signal("");
  readonly #ports: TradingPorts;
  #followed: readonly string[] = [];
  #stop = () => {};

  constructor(ports: TradingPorts) {
    this.#ports = ports;
    this.calls = new TradingCalls(ports.client);
    this.instruments = new Instruments((keys) => ports.client.instruments(keys), ports.report);
    this.accounts = new Accounts({
      calls: this.calls,
      clock: ports.clock,
      onNewDay: () => this.follower.readAgain(),
    });
    this.follower = new Follower({
      ...ports,
      readEvents: (after) => this.calls.events(after),
      readAll: () => this.accounts.read(),
      apply: (events) => this.#apply(events),
    });
    const { calls, accounts, instruments, screens } = this;
    const tell = (news: string) => this.tell(news);
    const shared = { ...ports, calls, accounts, instruments, screens, tell };
    this.tickets = new Tickets({ ...shared, account: this.#account });
    this.questions = new Questions(shared);
  }

  /** The account that is shown, and that new tickets begin with. */
  get account(): ReadonlySignal<Account> {
    return this.#account;
  }

  /** The last thing that happened to an order. */
  get news(): ReadonlySignal<string> {
    return this.#news;
  }

  start(): void {
    this.#stop = effect(() => {
      const book = this.accounts.book(this.#account.value).value;
      const { positions, holdings, orders } = book;
      const keys = [...positions, ...holdings].map(({ key }) => key);
      untracked(() => {
        this.#ports.lines.replace(linesOf(book));
        this.#follow([...new Set(keys)]);
        void this.instruments.learn([...keys, ...orders.map(({ key }) => key)]);
      });
    });
  }

  stop(): void {
    this.#stop();
    this.#ports.lines.replace(new Map());
    this.#follow([]);
    this.tickets.stop();
    this.follower.stop();
    this.accounts.stop();
  }

  tell(news: string): void {
    this.#news.value = news;
  }

  showAccount(account: Account): void {
    this.#account.value = account;
    if (account === "upstox") void this.accounts.readUpstox();
  }

  #apply(events: readonly UserEvent[]): void {
    this.accounts.apply(events);
    for (const event of events) {
      const news = newsOf(event, (key) => this.instruments.symbolOf(key));
      if (news !== null) this.tell(news);
    }
  }

  /** Quotes of what the shown account holds, for its profit. */
  #follow(keys: readonly string[]): void {
    const before = new Set(this.#followed);
    const now = new Set(keys);
    const added = keys.filter((key) => !before.has(key));
    const removed = this.#followed.filter((key) => !now.has(key));
    this.#followed = keys;
    if (added.length > 0) this.#ports.follow(added);
    if (removed.length > 0) this.#ports.unfollow(removed);
  }
}
