/** The stored bars of a chart: the newest ones first, earlier ones as they are asked for. */
import { batch, type ReadonlySignal, signal } from "@preact/signals-core";
import type { Clock } from "../../clock.ts";
import { DAY_MS } from "../../ui/ist.ts";
import { type Bar, fromStored, type Gap, merged } from "./bars.ts";
import { barStart, type Interval } from "./intervals.ts";
import { type Answer, type HistoryCalls, readBars, readGaps } from "./pages.ts";

export type HistoryState =
  | { readonly kind: "loading" }
  | { readonly kind: "ready" }
  /** There is nothing earlier: at the server, or that a chart could hold. */
  | { readonly kind: "whole" | "full" }
  | { readonly kind: "failed"; readonly error: unknown };

/** How much time is asked for at once: some hundred bars. */
const SPANS_DAYS: Readonly<Record<Interval, number>> = {
  ...{ "1m": 2, "3m": 5, "5m": 7, "15m": 20, "1h": 90, "1d": 730 },
};
/** Upstox has no candles of minutes before 2022, and none of days before 2000. */
const FIRST_MS = Date.UTC(2022, 0, 1);
const FIRST_DAY_MS = Date.UTC(2000, 0, 1);
/** Of a time without bars, twice as much is asked for next. */
const MOST_EMPTY = 8;
export const MOST_BARS = 10_000;
const NONE: readonly Gap[] = [];

export class History {
  readonly #state = signal<HistoryState>({ kind: "loading" });
  readonly #bars = signal<readonly Bar[]>([]);
  readonly #part = signal<Bar | null>(null);
  readonly #gaps = signal<readonly Gap[]>(NONE);
  readonly #missingToMs = signal<number | null>(null);
  readonly #key: string;
  readonly #interval: Interval;
  readonly #calls: HistoryCalls;
  readonly #clock: Clock;
  readonly #end = new AbortController();
  /** From where on everything is known; `null` before the first answer. */
  #fromMs: number | null = null;
  #isRefreshing = false;
  #isRefreshDue = false;
  /** Bars that came while the first answer was awaited. */
  #early: Bar[] = [];

  constructor(key: string, interval: Interval, calls: HistoryCalls, clock: Clock) {
    this.#key = key;
    this.#interval = interval;
    this.#calls = calls;
    this.#clock = clock;
  }

  get state(): ReadonlySignal<HistoryState> {
    return this.#state;
  }

  /** Bars that are over, the oldest first. */
  get bars(): ReadonlySignal<readonly Bar[]> {
    return this.#bars;
  }

  /** The server's part of the bar that is not over. */
  get part(): ReadonlySignal<Bar | null> {
    return this.#part;
  }

  get gaps(): ReadonlySignal<readonly Gap[]> {
    return this.#gaps;
  }

  /** Until when bars are missing because Upstox is away. */
  get missingToMs(): ReadonlySignal<number | null> {
    return this.#missingToMs;
  }

  async open(): Promise<void> {
    await this.#load(null);
  }

  /** The time before what is shown. */
  async earlier(): Promise<void> {
    if (this.#state.peek().kind === "ready") await this.#load(this.#fromMs);
  }

  /** After a failure. */
  async again(): Promise<void> {
    if (this.#state.peek().kind !== "failed") return;
    if (this.#fromMs === null) {
      await this.open();
      return;
    }
    this.#state.value = { kind: "ready" };
    await this.refresh();
  }

  /** Read the newest bars again: some may have been missed, or changed. */
  async refresh(): Promise<void> {
    if (this.#fromMs === null || this.#end.signal.aborted) return;
    this.#isRefreshDue = true;
    if (this.#isRefreshing) return;
    this.#isRefreshing = true;
    try {
      while (this.#isRefreshDue) {
        this.#isRefreshDue = false;
        const last = this.#bars.peek().at(-1)?.start ?? this.#fromMs;
        this.#take(await this.#read(last, null));
      }
    } catch (error) {
      if (!this.#end.signal.aborted) this.#state.value = { kind: "failed", error };
    } finally {
      this.#isRefreshing = false;
    }
  }

  /** A bar of the stream. */
  put(bar: Bar): void {
    if (this.#fromMs === null) this.#early = [...this.#early, bar].slice(-10);
    else if (bar.start >= this.#fromMs) this.#bars.value = merged(this.#bars.peek(), [bar]);
  }

  close(): void {
    this.#end.abort();
  }

  async #load(toMs: number | null): Promise<void> {
    this.#state.value = { kind: "loading" };
    const first = this.#interval === "1d" ? FIRST_DAY_MS : FIRST_MS;
    let span = SPANS_DAYS[this.#interval] * DAY_MS;
    let from = toMs ?? this.#clock.now();
    try {
      for (let empty = 0; empty < MOST_EMPTY && from > first; empty += 1) {
        const to = toMs === null && empty === 0 ? null : from;
        from = Math.max(first, barStart(this.#key, this.#interval, from - span));
        const answer = await this.#read(from, to);
        this.#fromMs = from;
        this.#take(answer);
        if (answer.bars.length > 0) break;
        span *= 2;
      }
      this.#state.value = { kind: this.#stateAfter(from <= first) };
    } catch (error) {
      if (!this.#end.signal.aborted) this.#state.value = { kind: "failed", error };
    }
  }

  #stateAfter(isFirst: boolean): "whole" | "full" | "ready" {
    if (this.#bars.peek().length >= MOST_BARS) return "full";
    return isFirst ? "whole" : "ready";
  }

  async #read(fromMs: number, toMs: number | null): Promise<Answer> {
    const time = { key: this.#key, fromMs, toMs };
    const { signal } = this.#end;
    const [bars, gaps] = await Promise.all([
      readBars(this.#calls, time, this.#interval, signal),
      this.#interval === "1d" ? NONE : readGaps(this.#calls, time, signal),
    ]);
    return { ...bars, gaps };
  }

  #take({ bars, gaps, missingToMs }: Answer): void {
    const known = bars.map(fromStored);
    const last = known.at(-1);
    batch(() => {
      const over = known.filter((bar) => bar.state !== "forming");
      this.#bars.value = merged(merged(this.#bars.peek(), over), this.#early);
      this.#early = [];
      if (last?.state === "forming") this.#part.value = last;
      this.#missingToMs.value = missingToMs;
      if (gaps.length > 0) this.#gaps.value = mergedGaps(this.#gaps.peek(), gaps);
    });
  }
}

/** An open gap may grow, and be repaired. */
function mergedGaps(gaps: readonly Gap[], newer: readonly Gap[]): readonly Gap[] {
  const all = [...gaps, ...newer].map((gap) => [`${gap.from_ms} ${gap.reason}`, gap] as const);
  return [...new Map(all).values()];
}
