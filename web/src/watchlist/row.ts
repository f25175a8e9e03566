/** The texts of one row of the watchlist. A signal changes only if its text does. Pure. */
import { type Signal, signal } from "@preact/signals-core";
import type { Freshness } from "../market/freshness.ts";
import {
  changeOf,
  percentOf,
  type Tone,
  timeText,
  toneOf,
  WAITING,
} from "../market/price_texts.ts";
import type { Held } from "../market/quotes.ts";
import type { Quote } from "../stream/protocol.ts";
import type { KeyOutcome } from "../stream/subscriptions.ts";
import { compact, percent, price, quantity, signed, UNKNOWN } from "../ui/format.ts";

export const COLUMNS = [
  "ltp",
  "change",
  "percent",
  "volume",
  "ltq",
  "bid",
  "ask",
  "range",
  "time",
] as const;
export type Column = (typeof COLUMNS)[number];
/** The day's range comes with quotes of gateways that know it. */
type Ranged = Quote & { readonly low?: number | null; readonly high?: number | null };

const FLASH_MS = 300;

function rangeText({ low, high }: Ranged): string {
  const isKnown = typeof low === "number" && typeof high === "number";
  return isKnown ? `${price(low)} – ${price(high)}` : UNKNOWN;
}

export class Row {
  readonly cells: Readonly<Record<Column, Signal<string>>>;
  readonly tone = signal<Tone>("");
  /** Of its own: a small change may be none in percent. */
  readonly percentTone = signal<Tone>("");
  readonly age = signal<Freshness["kind"]>("unknown");
  /** Two names for one animation: a change of the name starts it again. */
  readonly flash = signal<"" | "flash-a" | "flash-b">("");
  /** A text out of view costs a browser as much as one in view. */
  isInView = false;
  #ltp: number | null = null;
  #flashedMs = Number.NEGATIVE_INFINITY;
  #dueMs = 0;
  readonly #restMs: number;

  /** Out of view the texts follow at most each `restMs`. Differs by row: not all follow in one frame. */
  constructor(restMs: number) {
    this.#restMs = restMs;
    const cells = COLUMNS.map((column) => [column, signal(UNKNOWN)]);
    this.cells = Object.fromEntries(cells) as Record<Column, Signal<string>>;
  }

  paint(held: Held | undefined, freshness: Freshness, outcome: KeyOutcome, nowMs: number): void {
    const { kind } = freshness;
    if (!this.isInView && nowMs < this.#dueMs && this.age.peek() === kind) return;
    this.age.value = kind;
    if (held === undefined) {
      this.#set("time", WAITING[outcome]);
      return;
    }
    this.#dueMs = nowMs + this.#restMs;
    const { quote } = held;
    this.#set("ltp", price(quote.ltp));
    this.#set("change", signed(changeOf(quote)));
    this.#set("percent", percent(percentOf(quote)));
    this.#set("volume", compact(quote.volume));
    this.#set("ltq", quantity(quote.ltq));
    this.#set("bid", price(quote.bid));
    this.#set("ask", price(quote.ask));
    this.#set("range", rangeText(quote));
    this.#set("time", timeText(freshness, quote));
    this.tone.value = toneOf(this.cells.change.value);
    this.percentTone.value = toneOf(this.cells.percent.value);
    this.#flashIfChanged(quote.ltp ?? null, freshness, nowMs);
  }

  #set(column: Column, text: string): void {
    this.cells[column].value = text;
  }

  #flashIfChanged(ltp: number | null, freshness: Freshness, nowMs: number): void {
    const isChange = this.#ltp !== null && ltp !== this.#ltp && freshness.kind === "fresh";
    this.#ltp = ltp;
    if (!this.isInView || !isChange || nowMs - this.#flashedMs < FLASH_MS) return;
    this.#flashedMs = nowMs;
    this.flash.value = this.flash.value === "flash-a" ? "flash-b" : "flash-a";
  }
}
