/** Everything that a logged-in user works with: one stream, one market, the watchlist, trading. */
import { type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import type { Client } from "../api/client.ts";
import { MarketCalls } from "../api/market.ts";
import type { Clock } from "../clock.ts";
import type { Interval } from "../instrument/chart/intervals.ts";
import { Instrument } from "../instrument/instrument.ts";
import { Lines } from "../instrument/lines.ts";
import { Market } from "../market/market.ts";
import { Painter } from "../market/painter.ts";
import type { Session } from "../session/session.ts";
import { Listeners } from "../stream/listeners.ts";
import type { Channel } from "../stream/protocol.ts";
import { type KeptLog, Reconnects } from "../stream/reconnects.ts";
import { type Socket, type SocketHandlers, Stream } from "../stream/stream.ts";
import { Subscriptions } from "../stream/subscriptions.ts";
import { Trading } from "../trading/trading.ts";
import type { RequestFrame } from "../ui/frame.ts";
import { listCalls } from "../watchlist/list_calls.ts";
import { Lists, type ListsPorts } from "../watchlist/lists.ts";
import { Search } from "../watchlist/search.ts";
import { Watchlist, type WatchlistPorts } from "../watchlist/watchlist.ts";

export interface DeskPorts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly session: Session;
  readonly client: Client;
  readonly open: (handlers: SocketHandlers) => Socket;
  readonly requestFrame: RequestFrame;
  /** The watchlists of this user in the browser. */
  readonly kept: Pick<ListsPorts, "copy" | "earlier" | "tell"> &
    Pick<WatchlistPorts, "shown" | "newId">;
  readonly reconnects: KeptLog;
  /** A new key of a command, that no other command has. */
  readonly newKey: () => string;
  readonly isVisible: () => boolean;
  readonly report: (trouble: unknown) => void;
}

/** Upstox sends an instrument every 150 to 900 ms, so this loses next to nothing. */
const SHOWN_INTERVAL_MS = 100;
const HIDDEN_INTERVAL_MS = 1_000;

export class Desk {
  readonly subscriptions = new Subscriptions();
  readonly market: Market;
  readonly listeners: Listeners;
  /** Orders and positions, for charts. */
  readonly lines = new Lines();
  readonly reconnects: Reconnects;
  readonly stream: Stream;
  readonly painter: Painter;
  readonly watchlist: Watchlist;
  readonly search: Search;
  readonly trading: Trading;
  readonly clock: Clock;
  readonly #nowMs: Signal<number>;
  readonly #ports: DeskPorts;

  constructor(ports: DeskPorts) {
    const { clock, session, client } = ports;
    this.#ports = ports;
    this.clock = clock;
    this.#nowMs = signal(clock.now());
    this.market = new Market(clock, this.subscriptions, ports.report);
    this.trading = new Trading({
      ...ports,
      follow: (keys) => this.#follow("quotes", keys),
      unfollow: (keys) => this.#unfollow("quotes", keys),
      quoteOf: (key) => this.market.quotes.get(key)?.quote,
      lines: this.lines,
    });
    this.listeners = new Listeners(this.market, this.trading.follower);
    this.reconnects = new Reconnects(ports.reconnects, ports.report);
    const { reconnects } = this;
    this.stream = new Stream(
      { ...ports, reconnects, token: () => session.token(), renew: () => session.renew() },
      this.subscriptions,
      this.listeners,
    );
    this.painter = new Painter(this.market, ports.requestFrame);
    this.watchlist = new Watchlist({
      ...ports.kept,
      lists: new Lists({ ...ports.kept, calls: listCalls(client), report: ports.report }),
      follow: (keys) => this.#follow("quotes", keys),
      unfollow: (keys) => this.#unfollow("quotes", keys),
      namesOf: (keys) => client.instruments(keys),
      report: ports.report,
    });
    this.search = new Search((words, abort) => client.search(words, abort), clock);
    this.showOrHide();
  }

  /** The time, each second: for ages that are shown. */
  get nowMs(): ReadonlySignal<number> {
    return this.#nowMs;
  }

  instrument(key: string, interval: Interval): Instrument {
    const { client, clock, report } = this.#ports;
    return new Instrument(key, interval, {
      calls: new MarketCalls(client),
      clock,
      report,
      quote: () => this.market.quotes.get(key)?.quote,
      isFollowed: () => this.market.isFollowed,
      follow: (channel, keys) => this.#follow(channel, keys),
      unfollow: (channel, keys) => this.#unfollow(channel, keys),
      listen: (listener) => this.listeners.add(listener),
    });
  }

  start(): void {
    this.stream.start();
    void this.watchlist.open();
    this.trading.start();
  }

  stop(): void {
    this.search.close();
    this.watchlist.close();
    this.trading.stop();
    this.stream.stop();
    this.painter.stop();
  }

  /** To be called every second. */
  tick(): void {
    this.#nowMs.value = this.clock.now();
    this.market.tick();
  }

  /** The page was shown or hidden: a hidden one needs fewer quotes. */
  showOrHide(): void {
    const interval = this.#ports.isVisible() ? SHOWN_INTERVAL_MS : HIDDEN_INTERVAL_MS;
    for (const channel of ["quotes", "depth"] as const) {
      this.stream.send(this.subscriptions.setInterval(channel, interval));
    }
  }

  /** A held quote of a key that no view followed may be of any age, so it is removed. */
  #follow(channel: Channel, keys: readonly string[]): void {
    for (const key of keys) {
      if (this.subscriptions.outcome(channel, key) === "removed") this.market.forget(channel, key);
    }
    this.stream.send(this.subscriptions.follow(channel, keys));
  }

  #unfollow(channel: Channel, keys: readonly string[]): void {
    this.stream.send(this.subscriptions.unfollow(channel, keys));
  }
}
