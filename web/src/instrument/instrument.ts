/** Everything that the view of one instrument shows, from when it is opened until it is left. */
import { type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import type { InstrumentDetail } from "../api/market.ts";
import type { Channel, Quote, ServerMessage } from "../stream/protocol.ts";
import type { StreamListener } from "../stream/stream.ts";
import { Chart, type ChartPorts } from "./chart/chart.ts";
import type { Interval } from "./chart/intervals.ts";
import { Tape } from "./tape.ts";

export interface InstrumentPorts extends ChartPorts {
  readonly calls: ChartPorts["calls"] & {
    instrument(key: string, signal: AbortSignal): Promise<InstrumentDetail>;
  };
  readonly follow: (channel: Channel, keys: readonly string[]) => void;
  readonly unfollow: (channel: Channel, keys: readonly string[]) => void;
  /** Hear the stream, until the result is called. */
  readonly listen: (listener: StreamListener) => () => void;
}

export type DetailState =
  | { readonly kind: "loading" }
  | { readonly kind: "known"; readonly detail: InstrumentDetail }
  | { readonly kind: "failed"; readonly error: unknown };

const CHANNELS: readonly Channel[] = ["quotes", "depth", "candles", "bars"];

export class Instrument implements StreamListener {
  readonly key: string;
  readonly tape = new Tape();
  readonly #ports: InstrumentPorts;
  readonly #chart: Signal<Chart>;
  readonly #detail = signal<DetailState>({ kind: "loading" });
  readonly #end = new AbortController();
  #stopListening: () => void = () => {};

  constructor(key: string, interval: Interval, ports: InstrumentPorts) {
    this.key = key;
    this.#ports = ports;
    this.#chart = signal(new Chart(key, interval, ports));
  }

  /** The chart of the chosen interval: another one after each choice. */
  get chart(): ReadonlySignal<Chart> {
    return this.#chart;
  }

  get detail(): ReadonlySignal<DetailState> {
    return this.#detail;
  }

  open(): void {
    const { follow, listen, quote } = this.#ports;
    this.#stopListening = listen(this);
    for (const channel of CHANNELS) follow(channel, [this.key]);
    this.#print(quote());
    void this.#chart.peek().open();
    void this.readDetail();
  }

  close(): void {
    this.#end.abort();
    this.#stopListening();
    for (const channel of CHANNELS) this.#ports.unfollow(channel, [this.key]);
    this.#chart.peek().close();
  }

  choose(interval: Interval): void {
    const shown = this.#chart.peek();
    if (shown.interval === interval) return;
    shown.close();
    this.#chart.value = new Chart(this.key, interval, this.#ports);
    void this.#chart.peek().open();
  }

  async readDetail(): Promise<void> {
    this.#detail.value = { kind: "loading" };
    const { signal: abort } = this.#end;
    try {
      const detail = await this.#ports.calls.instrument(this.key, abort);
      this.#detail.value = { kind: "known", detail };
    } catch (error) {
      if (!abort.aborted) this.#detail.value = { kind: "failed", error };
    }
  }

  opened(): void {
    this.#chart.peek().opened();
  }

  cut(): void {
    this.#chart.peek().cut();
  }

  received(message: ServerMessage): void {
    this.#chart.peek().received(message);
    if (message.type !== "quotes") return;
    for (const quote of message.data) if (quote.key === this.key) this.#print(quote);
  }

  #print(quote: Quote | undefined): void {
    if (quote !== undefined) this.tape.take(quote);
  }
}
