/** The newest order book of each instrument that a view shows. Pure. */
import type { Depth } from "../stream/protocol.ts";
import { isNewer } from "./quotes.ts";

export interface HeldBook {
  readonly book: Depth;
  /** Whether the way of prices was cut since: this one may have changed, unseen. */
  readonly isBeforeCut: boolean;
}

export class Books {
  readonly #held = new Map<string, HeldBook>();

  /** The keys that have changed. As with quotes, one that is not newer is no news. */
  take(books: readonly Depth[], isCurrent: boolean): string[] {
    return books.flatMap((book) => {
      const held = this.#held.get(book.key);
      if (held !== undefined && !isNewer(book, held.book)) return [];
      this.#held.set(book.key, { book, isBeforeCut: !isCurrent });
      return [book.key];
    });
  }

  cut(): void {
    for (const [key, held] of this.#held) this.#held.set(key, { ...held, isBeforeCut: true });
  }

  forget(key: string): void {
    this.#held.delete(key);
  }

  get(key: string): HeldBook | undefined {
    return this.#held.get(key);
  }
}
