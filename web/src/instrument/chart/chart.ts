/** The chart of an instrument: stored bars and those that form, kept current from the stream. */
import { effect } from "@preact/signals-core";
import type { Clock } from "../../clock.ts";
import { isFeedGood } from "../../market/freshness.ts";
import type { Quote, ServerMessage } from "../../stream/protocol.ts";
import type { StreamListener } from "../../stream/stream.ts";
import {
  type Bar,
  fromCandle,
  fromStored,
  fromStream,
  type Item,
  isBar,
  withSlots,
} from "./bars.ts";
import { Forming } from "./forming.ts";
import { History } from "./history.ts";
import { barStart, type Interval, isCandle, lengthMs } from "./intervals.ts";
import { type HistoryCalls, readBars } from "./pages.ts";

export interface ChartPorts {
  readonly calls: HistoryCalls;
  readonly clock: Clock;
  /** The newest quote that the page has of the instrument. */
  readonly quote: () => Quote | undefined;
  /** Whether trades reach the page now, as far as it knows. */
  readonly isFollowed: () => boolean;
  readonly report: (trouble: unknown) => void;
}

/** Shown bars: all again, or only the last one, which has grown. */
export interface Shown {
  readonly items: readonly Item[];
  readonly isOnlyLast: boolean;
}

export class Chart implements StreamListener {
  readonly history: History;
  readonly interval: Interval;
  readonly #key: string;
  readonly #ports: ChartPorts;
  readonly #forming: Forming;
  readonly #stopRebasing: () => void;
  #part: Bar | null = null;
  /** Aborted when trades may be missed: answers to earlier requests must not begin a bar then. */
  #following = new AbortController();
  #isFeedGood: boolean;
  #items: Item[] = [];
  /** Of what the items were made. */
  #drawn: readonly unknown[] = [];

  constructor(key: string, interval: Interval, ports: ChartPorts) {
    this.#key = key;
    this.interval = interval;
    this.#ports = ports;
    this.history = new History(key, interval, ports.calls, ports.clock);
    this.#forming = new Forming(key, interval);
    this.#isFeedGood = ports.isFollowed();
    if (!this.#isFeedGood) this.cut();
    this.#stopRebasing = effect(() => this.#rebase());
  }

  async open(): Promise<void> {
    if (this.#isFeedGood) this.#tradeOf(this.#ports.quote());
    await this.history.open();
    await this.#readMinutes();
  }

  close(): void {
    this.#following.abort();
    this.#stopRebasing();
    this.history.close();
  }

  /** The items to draw; `null` if nothing has changed since the last call. */
  takeShown(): Shown | null {
    const stored = this.history.bars.peek();
    const forming = this.#forming.bars;
    const last = forming.at(-1);
    const drawn = [stored, this.history.gaps.peek(), forming.length, last?.start];
    const isOnlyLast = drawn.every((part, index) => part === this.#drawn[index]);
    this.#drawn = drawn;
    if (!isOnlyLast) this.#items = withSlots([...stored, ...forming], this.interval);
    else if (last === undefined || isSame(this.#items.at(-1), last)) return null;
    else this.#items.splice(-1, 1, last);
    return { items: this.#items, isOnlyLast };
  }

  /** The state of the feed comes next. */
  opened(): void {
    this.#isFeedGood = true;
    void this.#catchUp();
  }

  cut(): void {
    this.#following.abort();
    this.#forming.interrupt();
  }

  received(message: ServerMessage): void {
    if (message.type === "quotes") {
      for (const quote of message.data) if (quote.key === this.#key) this.#tradeOf(quote);
    } else if (message.type === "candles") {
      for (const one of message.data) if (one.key === this.#key) this.#candle(fromCandle(one));
    } else if (message.type === "bars") {
      for (const one of message.data) if (one.key === this.#key) this.#barOver(fromStream(one));
    } else if (message.type === "status") {
      for (const status of message.data) this.#feed(isFeedGood(status));
    } else if (message.type === "gap" && message.channel !== "orders") void this.#catchUp();
  }

  /** While the feed is cut, trades are missed as if the stream were. */
  #feed(isGood: boolean): void {
    if (isGood === this.#isFeedGood) return;
    this.#isFeedGood = isGood;
    if (isGood) void this.#catchUp();
    else this.cut();
  }

  #tradeOf(quote: Quote | undefined): void {
    const { ltp, ltt, volume } = quote ?? {};
    if (typeof ltp !== "number" || typeof ltt !== "number") return;
    this.#forming.trade({ price: ltp, atMs: ltt, dayVolume: volume ?? null });
  }

  /** A minute is over: it is a bar of one minute, and a part of longer ones. */
  #candle(candle: Bar): void {
    this.#forming.minute(candle);
    if (this.interval === "1m") this.history.put(candle);
    else if (this.interval === "3m") {
      const end = candle.start + lengthMs("1m");
      if (end % lengthMs("3m") === 0) void this.history.refresh();
    }
  }

  /** A bar of five minutes is stored: longer ones are made of it. */
  #barOver(bar: Bar): void {
    if (this.interval === "5m") this.history.put(bar);
    else if (!isCandle(this.interval)) void this.history.refresh();
  }

  async #catchUp(): Promise<void> {
    if (this.#following.signal.aborted) this.#following = new AbortController();
    await (this.#isFailed ? this.history.again() : this.history.refresh());
    await this.#readMinutes();
  }

  /** Trades of the last minutes, before this page watched, are in no stored bar yet. */
  async #readMinutes(): Promise<void> {
    const { signal } = this.#following;
    const newest = this.#ports.quote()?.ltt;
    if (signal.aborted || this.#isFailed || typeof newest !== "number") return;
    const fromMs = barStart(this.#key, "5m", newest) - lengthMs("5m");
    const time = { key: this.#key, fromMs, toMs: null };
    try {
      if (!isCandle(this.interval)) {
        const { bars } = await readBars(this.#ports.calls, time, "1m", signal);
        if (signal.aborted) return;
        for (const bar of bars) this.#forming.minute(fromStored(bar));
      }
      this.#forming.complete();
    } catch (error) {
      if (!signal.aborted) this.#ports.report(error);
    }
  }

  get #isFailed(): boolean {
    return this.history.state.peek().kind === "failed";
  }

  #rebase(): void {
    const part = this.history.part.value;
    const isNews = part !== this.#part && !this.#following.signal.aborted;
    this.#part = part;
    this.#forming.rebase(this.history.bars.value.at(-1) ?? null, isNews ? part : null);
  }
}

/** A forming bar is made anew each time. */
function isSame(item: Item | undefined, bar: Bar): boolean {
  if (item === undefined || !isBar(item)) return false;
  const names = ["start", "open", "high", "low", "close", "volume", "watchedFromMs"] as const;
  return names.every((name) => item[name] === bar[name]);
}
