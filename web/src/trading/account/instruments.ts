/** Instruments of orders and positions: symbol, lot, tick and multiplier. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import type { Instrument } from "../../api/client.ts";

export type Read = (keys: readonly string[]) => Promise<readonly Instrument[]>;

export class Instruments {
  readonly #known = signal<ReadonlyMap<string, Instrument>>(new Map());
  /** Asked before, also if there was no answer for them. */
  readonly #asked = new Set<string>();
  readonly #read: Read;
  readonly #report: (trouble: unknown) => void;

  constructor(read: Read, report: (trouble: unknown) => void) {
    this.#read = read;
    this.#report = report;
  }

  get known(): ReadonlySignal<ReadonlyMap<string, Instrument>> {
    return this.#known;
  }

  symbolOf(key: string): string {
    return this.#known.value.get(key)?.symbol ?? key.split("|").at(-1) ?? key;
  }

  async learn(keys: Iterable<string>): Promise<void> {
    const unknown = [...new Set(keys)].filter((key) => !this.#asked.has(key));
    if (unknown.length === 0) return;
    for (const key of unknown) this.#asked.add(key);
    try {
      await this.#take(unknown);
    } catch (error) {
      for (const key of unknown) this.#asked.delete(key);
      this.#report(error);
    }
  }

  /** One instrument, read if it is not known yet. Throws what the request does. */
  async get(key: string): Promise<Instrument | null> {
    if (!this.#known.peek().has(key)) await this.#take([key]);
    return this.#known.peek().get(key) ?? null;
  }

  async #take(keys: readonly string[]): Promise<void> {
    const found = await this.#read(keys);
    const known = new Map(this.#known.peek());
    for (const one of found) known.set(one.key, one);
    this.#known.value = known;
  }
}
