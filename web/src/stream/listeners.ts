/** The readers of one stream: those of the desk for good, those of a view while it is shown. */
import type { ServerMessage } from "./protocol.ts";
import type { StreamListener } from "./stream.ts";

export class Listeners implements StreamListener {
  readonly #all: Set<StreamListener>;

  constructor(...all: StreamListener[]) {
    this.#all = new Set(all);
  }

  /** Adds a reader, until the result is called. */
  add(listener: StreamListener): () => void {
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  }

  opened(nowMs: number): void {
    for (const one of this.#all) one.opened(nowMs);
  }

  received(message: ServerMessage, nowMs: number): void {
    for (const one of this.#all) one.received(message, nowMs);
  }

  cut(nowMs: number): void {
    for (const one of this.#all) one.cut(nowMs);
  }
}
