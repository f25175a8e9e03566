/** Lines of own orders and positions in a chart. Trading writes them, the instrument view draws them. */
import { computed, type ReadonlySignal, signal } from "@preact/signals-core";

export interface PriceLine {
  readonly price: number;
  readonly side: "BUY" | "SELL";
  readonly quantity: number;
  /** An order waits at its price, a trigger wakes one, and a position has an average price. */
  readonly kind: "order" | "trigger" | "position";
}

const NONE: readonly PriceLine[] = [];

export class Lines {
  readonly #all = signal<ReadonlyMap<string, readonly PriceLine[]>>(new Map());

  /** The lines of all instruments, by key. */
  replace(all: ReadonlyMap<string, readonly PriceLine[]>): void {
    this.#all.value = all;
  }

  of(key: string): ReadonlySignal<readonly PriceLine[]> {
    return computed(() => this.#all.value.get(key) ?? NONE);
  }
}

/** `SELL 10 order`: a side is never told by its colour alone. */
export const lineText = ({ side, quantity, kind }: PriceLine): string =>
  `${side} ${quantity} ${kind}`;
