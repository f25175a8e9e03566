/** The newest trades of an instrument as its quotes tell them, and what quotes left out. Pure. */
import type { Quote } from "../stream/protocol.ts";

export interface Print {
  readonly id: number;
  readonly atMs: number;
  readonly price: number;
  readonly quantity: number | null;
  /** Traded since the print before, besides this one: the feed sends some quotes a second, not each trade. */
  readonly unseen: number;
  /** Against the print before: up, down or the same. */
  readonly turn: -1 | 0 | 1;
}

export const MOST_PRINTS = 100;

export class Tape {
  #prints: readonly Print[] = [];
  #last: Quote | null = null;
  #count = 0;

  /** The newest first. */
  get prints(): readonly Print[] {
    return this.#prints;
  }

  /** Whether the quote tells of a trade. */
  take(quote: Quote): boolean {
    const last = this.#last;
    const { ltp, ltt } = quote;
    if (typeof ltp !== "number" || typeof ltt !== "number") return false;
    if (last !== null && !isLater(quote, last)) return false;
    this.#last = quote;
    this.#count += 1;
    const print: Print = {
      id: this.#count,
      atMs: ltt,
      price: ltp,
      quantity: quote.ltq ?? null,
      unseen: last === null ? 0 : unseenBetween(last, quote),
      turn: last === null ? 0 : (Math.sign(ltp - (last.ltp ?? ltp)) as Print["turn"]),
    };
    this.#prints = [print, ...this.#prints].slice(0, MOST_PRINTS);
    return true;
  }
}

/** An index has no volume, and its value is told without a trade. */
function isLater(quote: Quote, last: Quote): boolean {
  if ((quote.ltt ?? 0) < (last.ltt ?? 0)) return false;
  const isTraded = typeof quote.volume === "number" && typeof last.volume === "number";
  return isTraded ? quote.volume !== last.volume : quote.ltt !== last.ltt || quote.ltp !== last.ltp;
}

/** The volume starts again each day. */
function unseenBetween(last: Quote, quote: Quote): number {
  if (typeof quote.volume !== "number" || typeof last.volume !== "number") return 0;
  return Math.max(0, quote.volume - last.volume - (quote.ltq ?? 0));
}
