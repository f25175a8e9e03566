/** Repaints what shows prices, once per frame and only what has changed. Pure. */
import { batch, effect } from "@preact/signals-core";
import { oncePerFrame, type RequestFrame } from "../ui/frame.ts";
import type { Market } from "./market.ts";

export type Paint = () => void;

export class Painter {
  readonly #paints = new Map<string, Set<Paint>>();
  readonly #market: Market;
  readonly #request: () => void;
  readonly #stop: () => void;
  #isAllChanged = true;

  constructor(market: Market, requestFrame: RequestFrame) {
    this.#market = market;
    this.#request = oncePerFrame(requestFrame, () => this.#flush());
    market.quotes.onChange = this.#request;
    this.#stop = effect(() => {
      market.revision.value;
      this.#isAllChanged = true;
      this.#request();
    });
  }

  /** Call `paint` when the instrument or its freshness may have changed, until the result is called. */
  watch(key: string, paint: Paint): () => void {
    const paints = this.#paints.get(key) ?? new Set<Paint>();
    this.#paints.set(key, paints.add(paint));
    paint();
    return () => {
      paints.delete(paint);
      if (paints.size === 0) this.#paints.delete(key);
    };
  }

  stop(): void {
    this.#stop();
    this.#market.quotes.onChange = () => {};
    this.#paints.clear();
  }

  #flush(): void {
    const changed = this.#market.quotes.takeChanged();
    const keys = this.#isAllChanged ? this.#paints.keys() : changed;
    this.#isAllChanged = false;
    batch(() => {
      for (const key of keys) for (const paint of this.#paints.get(key) ?? []) paint();
    });
  }
}
