/** Messages to the user about what went wrong. A bounded list; nothing fails silently. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import { NoAnswer, sentence } from "../api/problems.ts";

export interface Notice {
  readonly id: number;
  readonly text: string;
  /** About a request that had no answer. */
  readonly isOfConnection: boolean;
}

const MOST = 4;

export class Notices {
  readonly #list = signal<readonly Notice[]>([]);
  #lastId = 0;

  get list(): ReadonlySignal<readonly Notice[]> {
    return this.#list;
  }

  /** Show an error; one that is shown already is not repeated. */
  report(trouble: unknown): void {
    const text = sentence(trouble);
    const list = this.#list.peek();
    if (list.some((one) => one.text === text)) return;
    this.#lastId += 1;
    const isOfConnection = trouble instanceof NoAnswer;
    this.#list.value = [...list, { id: this.#lastId, text, isOfConnection }].slice(-MOST);
  }

  /** There is a connection again: what says otherwise is outdated. */
  connected(): void {
    this.#list.value = this.#list.peek().filter((one) => !one.isOfConnection);
  }

  /** Errors from before a login are outdated after it. */
  clear(): void {
    this.#list.value = [];
  }

  dismiss(id: number): void {
    this.#list.value = this.#list.peek().filter((one) => one.id !== id);
  }
}
