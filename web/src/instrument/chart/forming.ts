/** Bars that are not stored yet, made of live trades: the one that forms, and those before it. Pure. */

import { dayOf } from "../../ui/ist.ts";
import type { Bar } from "./bars.ts";
import { barStart, type Interval } from "./intervals.ts";

export interface Trade {
  readonly price: number;
  /** The exchange's time. */
  readonly atMs: number;
  /** The volume of the day with this trade; `null` of an index. */
  readonly dayVolume: number | null;
}

interface Growing {
  start: number;
  open: number;
  openMs: number;
  high: number;
  low: number;
  close: number;
  closeMs: number;
  /** The volume of the day when the bar began; `null` if it is not known. */
  startVolume: number | null;
  /** When the first trade was seen here, of a bar that had begun before. */
  watchedFromMs: number | null;
}

const widened = (bar: Bar, { high, low }: Bar): Bar => ({
  ...bar,
  high: Math.max(bar.high, high),
  low: Math.min(bar.low, low),
});

/** Stored bars follow within seconds. */
const MOST_WAITING = 20;

export class Forming {
  readonly #key: string;
  readonly #interval: Interval;
  #waiting: Bar[] = [];
  #growing: Growing | null = null;
  #stored: Bar | null = null;
  /** The start of the server's newest bar, also of one that is not over. */
  #newestMs = 0;
  #dayVolume: number | null = null;
  #day = 0;
  /** Whether every trade since the newest quote is seen here. */
  #isFollowing = false;

  constructor(key: string, interval: Interval) {
    this.#key = key;
    this.#interval = interval;
  }

  /** The oldest first; the last one still grows. */
  get bars(): readonly Bar[] {
    return this.#growing === null ? this.#waiting : [...this.#waiting, this.#bar(this.#growing)];
  }

  /** The newest stored bar, and the part of the next one that the server has. */
  rebase(stored: Bar | null, part: Bar | null): void {
    this.#stored = stored;
    const after = stored?.start ?? -1;
    this.#newestMs = part?.start ?? Math.max(this.#newestMs, after);
    this.#realign();
    this.#waiting = this.#waiting.filter((bar) => bar.start > after);
    if (this.#growing !== null && this.#growing.start <= after) this.#growing = null;
    if (this.#growing !== null)
      this.#growing.startVolume ??= this.#storedVolume(this.#growing.start);
    if (part === null || part.start <= after) return;
    this.#foldIn(part, part.start, part.start);
    const growing = this.#growing;
    if (growing?.start !== part.start) return;
    growing.watchedFromMs = null;
    const dayVolume = part.dayVolume ?? this.#dayVolume;
    if (part.volume !== null && dayVolume !== null) growing.startVolume = dayVolume - part.volume;
  }

  /** Before the server's first bar of a day, it may not be known when bars begin. */
  #realign(): void {
    const growing = this.#growing;
    if (growing === null || dayOf(growing.openMs) !== dayOf(this.#newestMs)) return;
    const start = this.#startOf(growing.openMs);
    if (start === growing.start) return;
    growing.start = start;
    this.#waiting = [];
  }

  /** A minute of the forming bar, with all its trades. */
  minute(candle: Bar): void {
    const start = this.#startOf(candle.start);
    if (start > (this.#stored?.start ?? -1)) this.#foldIn(candle, start, candle.start);
  }

  /** Everything before the first trade that was seen here has been told: by `rebase` and `minute`. */
  complete(): void {
    if (this.#growing !== null) this.#growing.watchedFromMs = null;
  }

  trade({ price, atMs, dayVolume }: Trade): void {
    const start = this.#startOf(atMs);
    if (start > (this.#stored?.start ?? -1)) this.#grow(price, atMs, start);
    this.#dayVolume = dayVolume;
    this.#day = dayOf(atMs);
    this.#isFollowing = true;
  }

  /** Trades may have been missed: what was made of the others is not known to be right. */
  interrupt(): void {
    this.#waiting = [];
    this.#growing = null;
    this.#dayVolume = null;
    this.#isFollowing = false;
  }

  #grow(price: number, atMs: number, start: number): void {
    const growing = this.#growing;
    if (growing !== null && start < growing.start) return; // late, and its bar is nearly stored
    if (growing === null || start > growing.start) {
      this.#begin(price, atMs, start);
      return;
    }
    growing.high = Math.max(growing.high, price);
    growing.low = Math.min(growing.low, price);
    if (atMs < growing.closeMs) return;
    growing.close = price;
    growing.closeMs = atMs;
  }

  #begin(price: number, atMs: number, start: number): Growing {
    if (this.#growing !== null) {
      this.#waiting = [...this.#waiting, this.#bar(this.#growing)].slice(-MOST_WAITING);
    }
    this.#growing = {
      ...{ start, open: price, high: price, low: price, close: price },
      ...{ openMs: atMs, closeMs: atMs, startVolume: this.#volumeBefore(atMs) },
      watchedFromMs: this.#isFollowing ? null : atMs,
    };
    return this.#growing;
  }

  /** The volume of the day before the bar that begins; it starts again each day. */
  #volumeBefore(atMs: number): number | null {
    if (!this.#isFollowing) return this.#storedVolume(atMs);
    return dayOf(atMs) === this.#day ? this.#dayVolume : 0;
  }

  #storedVolume(atMs: number): number | null {
    if (this.#stored === null) return null;
    return dayOf(this.#stored.start) === dayOf(atMs) ? this.#stored.dayVolume : 0;
  }

  /** Several trades, from `fromMs` on, as one bar. */
  #foldIn(bar: Bar, start: number, fromMs: number): void {
    let growing = this.#growing;
    if (growing !== null && start < growing.start) {
      this.#waiting = this.#waiting.map((one) => (one.start === start ? widened(one, bar) : one));
      return;
    }
    if (growing === null || start > growing.start) growing = this.#begin(bar.open, fromMs, start);
    growing.high = Math.max(growing.high, bar.high);
    growing.low = Math.min(growing.low, bar.low);
    if (fromMs <= growing.openMs) {
      growing.open = bar.open;
      growing.openMs = fromMs;
    }
    if (fromMs >= growing.closeMs) {
      growing.close = bar.close;
      growing.closeMs = fromMs;
    }
  }

  #startOf(atMs: number): number {
    return barStart(this.#key, this.#interval, atMs, this.#newestMs);
  }

  #bar(growing: Growing): Bar {
    const { start, open, high, low, close, startVolume, watchedFromMs } = growing;
    const volume =
      this.#dayVolume === null || startVolume === null ? null : this.#dayVolume - startVolume;
    return {
      ...{ start, open, high, low, close },
      volume: volume === null || volume < 0 ? null : volume,
      dayVolume: this.#dayVolume,
      state: "forming",
      silentMs: 0,
      ticks: 0,
      ...(watchedFromMs === null ? {} : { watchedFromMs }),
    };
  }
}
