/** The user's events without a gap: live ones of the stream, missed ones by REST (docs/orders.md). */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import { NotKnown } from "../../api/problems.ts";
import { pauseMs } from "../../backoff.ts";
import type { Cancel, Clock } from "../../clock.ts";
import type { ServerMessage } from "../../stream/protocol.ts";
import type { StreamListener } from "../../stream/stream.ts";
import type { Events, UserEvent } from "../messages.ts";

export interface FollowerPorts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly readEvents: (after: number) => Promise<Events>;
  /** Read everything that events change. */
  readonly readAll: () => Promise<void>;
  /** Events in their order, each once. */
  readonly apply: (events: readonly UserEvent[]) => void;
}

/** `behind`: what is shown may be outdated. */
export type Following = "behind" | "current";

const CHANNEL = "orders";
/** No event comes after this one: a page after it has `last_seq` only. */
const AFTER_ALL = 2 ** 53 - 1;
/** Beyond so many events it is cheaper to read everything. */
const MOST_MISSED = 1_000;
const PAUSES = { firstMs: 500, mostMs: 10_000 };

export class Follower implements StreamListener {
  readonly #state = signal<Following>("behind");
  readonly #trouble = signal<unknown>(null);
  readonly #ports: FollowerPorts;
  /** The last event that counts; `null` until everything was read. */
  #lastSeq: number | null = null;
  /** The newest event that came live. */
  #newestSeq = 0;
  #isSubscribed = false;
  #isReading = false;
  /** Something was missed since the page that is being read was asked for. */
  #isDue = false;
  #failures = 0;
  #cancelTimer: Cancel = () => {};

  constructor(ports: FollowerPorts) {
    this.#ports = ports;
  }

  get state(): ReadonlySignal<Following> {
    return this.#state;
  }

  /** Why events could not be read, while they are read again and again. */
  get trouble(): ReadonlySignal<unknown> {
    return this.#trouble;
  }

  opened(): void {}

  cut(): void {
    this.#isSubscribed = false;
    this.#state.value = "behind";
    this.#cancelTimer();
  }

  received(message: ServerMessage): void {
    if (message.type === "ack" && message.results[CHANNEL] === "live") {
      this.#isSubscribed = true;
      this.#fallBehind();
    } else if (message.type === "gap" && message.channel === CHANNEL) this.#fallBehind();
    else if (message.type === CHANNEL) this.#take(message.data);
  }

  /** Forget everything that was read, and read it again. */
  readAgain(): void {
    this.#lastSeq = null;
    this.#fallBehind();
  }

  stop(): void {
    this.cut();
  }

  #take(events: readonly UserEvent[]): void {
    this.#newestSeq = Math.max(this.#newestSeq, events.at(-1)?.seq ?? 0);
    if (this.#state.peek() === "behind") return; // they are read with those before them
    const last = this.#lastSeq ?? 0;
    const next = events.filter(({ seq }) => seq > last);
    if (next.length === 0) return;
    if (areInOrder(next, last)) this.#accept(next);
    else this.#fallBehind();
  }

  #accept(events: readonly UserEvent[]): void {
    const last = events.at(-1);
    if (last === undefined) return;
    this.#lastSeq = last.seq;
    this.#ports.apply(events);
  }

  #fallBehind(): void {
    this.#state.value = "behind";
    this.#isDue = true;
    if (!this.#isSubscribed || this.#isReading) return;
    this.#cancelTimer();
    void this.#read();
  }

  /** Read until nothing is missing. Only one reading runs at a time. */
  async #read(): Promise<void> {
    this.#isReading = true;
    let isDone = false;
    try {
      while (this.#isSubscribed && !isDone) {
        this.#isDue = false;
        isDone = (await this.#readPage()) && !this.#isDue;
      }
      this.#failures = 0;
      this.#trouble.value = null;
      if (isDone && this.#isSubscribed) this.#state.value = "current";
    } catch (error) {
      this.#trouble.value = error;
      this.#failures += 1;
    } finally {
      this.#isReading = false;
    }
    if (this.#state.peek() === "current" || !this.#isSubscribed) return;
    const pause = pauseMs(this.#failures, PAUSES, this.#ports.random);
    this.#cancelTimer = this.#ports.clock.later(pause, () => this.#fallBehind());
  }

  /** Whether all events that are known to exist were read. */
  async #readPage(): Promise<boolean> {
    const after = this.#lastSeq;
    const page = await this.#ports.readEvents(after ?? AFTER_ALL);
    if (after === null) {
      // First the number, then everything: an event in between is applied a second time, to no effect.
      await this.#ports.readAll();
      if (this.#isDue) return false; // it may have been read before what was missed
      this.#lastSeq = page.last_seq;
      return page.last_seq >= this.#newestSeq;
    }
    const isOther = after !== this.#lastSeq;
    if (isOther) return false; // everything is to be read again
    const isMissing = page.last_seq < after || page.last_seq - after > MOST_MISSED;
    if (isMissing || !areInOrder(page.events, after)) {
      this.#lastSeq = null;
      this.#newestSeq = 0; // it may be of before a restored backup
      return false;
    }
    this.#accept(page.events);
    if ((this.#lastSeq ?? 0) >= Math.max(page.last_seq, this.#newestSeq)) return true;
    // An event is counted just before it can be read.
    if (page.events.length === 0) throw new NotKnown("An event cannot be read yet.");
    return false;
  }
}

function areInOrder(events: readonly UserEvent[], after: number): boolean {
  return events.every(({ seq }, index) => seq === after + 1 + index);
}
