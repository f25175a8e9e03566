/** Search as you type: one request at a time, and never an answer to earlier words. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import type { Cancel, Clock } from "../clock.ts";
import type { InstrumentName } from "./watchlist.ts";

export type Find = (words: string, signal: AbortSignal) => Promise<readonly InstrumentName[]>;
export type SearchState =
  | { readonly kind: "closed" }
  | { readonly kind: "searching" }
  | {
      readonly kind: "found";
      readonly results: readonly InstrumentName[];
      /** -1: none is chosen yet, because they have other strikes than the `missing` one. */
      readonly active: number;
      readonly missing: string | null;
    }
  | { readonly kind: "failed"; readonly error: unknown };

const TYPING_MS = 150;

/** The strike that was searched, if the results have others: the server found the nearest ones. */
function missingStrike(words: string, results: readonly InstrumentName[]): string | null {
  const strike = /\b\d{3,}/.exec(words)?.[0];
  if (!strike || !results[0]?.segment.endsWith("_FO")) return null;
  return results.some(({ symbol }) => symbol.includes(strike)) ? null : strike;
}

export class Search {
  readonly #state = signal<SearchState>({ kind: "closed" });
  readonly #words = signal("");
  readonly #find: Find;
  readonly #clock: Clock;
  #cancelTimer: Cancel = () => {};
  #request: AbortController | null = null;

  constructor(find: Find, clock: Clock) {
    this.#find = find;
    this.#clock = clock;
  }

  get state(): ReadonlySignal<SearchState> {
    return this.#state;
  }

  get words(): ReadonlySignal<string> {
    return this.#words;
  }

  type(words: string): void {
    this.#words.value = words;
    this.#stop();
    if (words.trim() === "") this.#state.value = { kind: "closed" };
    else this.#cancelTimer = this.#clock.later(TYPING_MS, () => void this.#run(words.trim()));
  }

  close(): void {
    this.type("");
  }

  /** Move the choice, around the ends. */
  step(steps: number): void {
    const state = this.#state.peek();
    if (state.kind !== "found" || state.results.length === 0) return;
    const count = state.results.length;
    this.#state.value = { ...state, active: (state.active + steps + count) % count };
  }

  /** The chosen result; `null` if there is none yet. */
  chosen(): InstrumentName | null {
    const state = this.#state.peek();
    return state.kind === "found" ? (state.results[state.active] ?? null) : null;
  }

  async #run(words: string): Promise<void> {
    const request = new AbortController();
    this.#request = request;
    if (this.#state.peek().kind !== "found") this.#state.value = { kind: "searching" };
    try {
      const results = await this.#find(words, request.signal);
      if (request.signal.aborted) return;
      const missing = missingStrike(words, results);
      this.#state.value = { kind: "found", results, active: missing ? -1 : 0, missing };
    } catch (error) {
      if (!request.signal.aborted) this.#state.value = { kind: "failed", error };
    }
  }

  #stop(): void {
    this.#cancelTimer();
    this.#request?.abort();
    this.#request = null;
  }
}
