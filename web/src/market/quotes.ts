/** The newest quote of each instrument. All views read it, so they never disagree. Pure. */
import type { Quote } from "../stream/protocol.ts";

export interface Held {
  readonly quote: Quote;
  /** When this page received it. */
  readonly receivedMs: number;
  /** Whether the way of prices was cut since: this one may have moved, unseen. */
  readonly isBeforeCut: boolean;
}

type Order = Pick<Quote, "epoch" | "seq">;

export function isNewer(one: Order, than: Order): boolean {
  return one.epoch > than.epoch || (one.epoch === than.epoch && one.seq > than.seq);
}

export class Quotes {
  readonly #held = new Map<string, Held>();
  readonly #changed = new Set<string>();

  /** Called when something has changed, and again only after `takeChanged`. */
  onChange: () => void = () => {};

  /**
   * A quote that is not newer than the held one is no news, also after a cut. What comes while the
   * feed is cut (`isCurrent` false) is what the gateway had before.
   */
  take(quotes: readonly Quote[], nowMs: number, isCurrent = true): void {
    for (const quote of quotes) {
      const held = this.#held.get(quote.key);
      if (held !== undefined && !isNewer(quote, held.quote)) continue;
      this.#held.set(quote.key, { quote, receivedMs: nowMs, isBeforeCut: !isCurrent });
      this.touch(quote.key);
    }
  }

  /** The stream or the feed was cut: nothing that is held is current any more. */
  cut(): void {
    for (const [key, held] of this.#held) {
      if (!held.isBeforeCut) this.#held.set(key, { ...held, isBeforeCut: true });
      this.touch(key);
    }
  }

  forget(key: string): void {
    this.#held.delete(key);
    this.#changed.delete(key);
  }

  get(key: string): Held | undefined {
    return this.#held.get(key);
  }

  /** When the newest quote of all was received. */
  newestMs(): number | null {
    let newest: number | null = null;
    for (const { receivedMs } of this.#held.values()) {
      if (newest === null || receivedMs > newest) newest = receivedMs;
    }
    return newest;
  }

  /** The keys that have changed since the last call. */
  takeChanged(): string[] {
    const keys = [...this.#changed];
    this.#changed.clear();
    return keys;
  }

  /** Something that is shown with the quote has changed. */
  touch(key: string): void {
    const wasEmpty = this.#changed.size === 0;
    this.#changed.add(key);
    if (wasEmpty) this.onChange();
  }
}
