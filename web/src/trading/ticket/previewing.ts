/** The server's preview of an order while it is typed: one request at a time, no answer to earlier terms. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import type { Cancel, Clock } from "../../clock.ts";
import type { NewOrder, Preview } from "../messages.ts";

export type Ask = (order: NewOrder, signal: AbortSignal) => Promise<Preview>;
export type PreviewState =
  | { readonly kind: "none" }
  /** An answer to these terms is awaited. */
  | { readonly kind: "asking" }
  | { readonly kind: "shown"; readonly preview: Preview }
  | { readonly kind: "failed"; readonly error: unknown };

const TYPING_MS = 200;
/** Failed checks are asked for again: the market, switches and funds change without new terms. */
const AGAIN_MS = 3_000;

export class Previewing {
  readonly #state = signal<PreviewState>({ kind: "none" });
  readonly #ask: Ask;
  readonly #clock: Clock;
  #cancelTimer: Cancel = () => {};
  #request: AbortController | null = null;

  constructor(ask: Ask, clock: Clock) {
    this.#ask = ask;
    this.#clock = clock;
  }

  get state(): ReadonlySignal<PreviewState> {
    return this.#state;
  }

  /** `null`: the terms are not complete. */
  want(order: NewOrder | null): void {
    this.stop();
    this.#state.value = { kind: order === null ? "none" : "asking" };
    if (order !== null) this.#later(TYPING_MS, order);
  }

  stop(): void {
    this.#cancelTimer();
    this.#request?.abort();
    this.#request = null;
  }

  #later(ms: number, order: NewOrder): void {
    this.#cancelTimer = this.#clock.later(ms, () => void this.#run(order));
  }

  async #run(order: NewOrder): Promise<void> {
    const request = new AbortController();
    this.#request = request;
    try {
      const preview = await this.#ask(order, request.signal);
      if (request.signal.aborted) return;
      this.#state.value = { kind: "shown", preview };
      if (!preview.passed) this.#later(AGAIN_MS, order);
    } catch (error) {
      if (!request.signal.aborted) this.#state.value = { kind: "failed", error };
    }
  }
}
