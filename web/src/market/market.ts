/** The market as this page sees it: quotes, outcomes, the state of the feed, and their ages. */
import { batch, type ReadonlySignal, signal } from "@preact/signals-core";
import { Refusal } from "../api/problems.ts";
import type { Clock } from "../clock.ts";
import type { Channel, FeedStatus, ServerMessage } from "../stream/protocol.ts";
import type { StreamListener } from "../stream/stream.ts";
import type { Subscriptions } from "../stream/subscriptions.ts";
import { Books } from "./books.ts";
import { type Freshness, freshness, isFeedGood, isPathGood, type Path } from "./freshness.ts";
import { Quotes } from "./quotes.ts";

/** Errors that only say why the stream is closed next: the stream reacts to its close code. */
const ENDINGS: ReadonlySet<string> = new Set([
  "restarting",
  "unavailable",
  "unauthenticated",
  "token_expired",
  "revoked",
  "too_slow",
]);

export class Market implements StreamListener {
  readonly quotes = new Quotes();
  readonly books = new Books();
  readonly #clock: Clock;
  readonly #subscriptions: Subscriptions;
  /** Changes with whatever can change the freshness of many prices at once. */
  readonly #revision = signal(0);
  readonly #status = signal<FeedStatus | null>(null);
  readonly #report: (refusal: Refusal) => void;
  #cutSinceMs: number | null;
  #statusMs: number;
  #goodMs: number;
  #isGatewayCurrent = true;
  #wasGood = false;

  constructor(
    clock: Clock,
    subscriptions: Subscriptions,
    report: (refusal: Refusal) => void = () => {},
  ) {
    this.#clock = clock;
    this.#report = report;
    this.#subscriptions = subscriptions;
    this.#cutSinceMs = clock.now();
    this.#statusMs = this.#cutSinceMs;
    this.#goodMs = this.#cutSinceMs;
  }

  get revision(): ReadonlySignal<number> {
    return this.#revision;
  }

  get status(): ReadonlySignal<FeedStatus | null> {
    return this.#status;
  }

  get path(): Path {
    return {
      cutSinceMs: this.#cutSinceMs,
      status: this.#status.peek(),
      statusMs: this.#statusMs,
      isGatewayCurrent: this.#isGatewayCurrent,
      goodMs: this.#goodMs,
    };
  }

  /** Whether neither the stream nor the feed is known to be cut. */
  get isFollowed(): boolean {
    const status = this.#status.peek();
    return this.#cutSinceMs === null && (status === null || isFeedGood(status));
  }

  freshnessOf(key: string): Freshness {
    const outcome = this.#subscriptions.outcome("quotes", key);
    return freshness(key, this.quotes.get(key), outcome, this.path, this.#clock.now());
  }

  /** Hold nothing of a key any more. */
  forget(channel: Channel, key: string): void {
    if (channel === "quotes") this.quotes.forget(key);
    else if (channel === "depth") this.books.forget(key);
  }

  opened(nowMs: number): void {
    this.#cutSinceMs = null;
    this.#status.value = null;
    this.#isGatewayCurrent = true;
    this.#statusMs = nowMs;
    this.#changed();
  }

  cut(nowMs: number): void {
    this.#cutSinceMs = nowMs;
    this.#cutPrices();
    this.#judge(nowMs);
  }

  received(message: ServerMessage, nowMs: number): void {
    batch(() => this.#take(message, nowMs));
  }

  /** To be called every second: what does not come changes the freshness too. */
  tick(): void {
    this.#judge(this.#clock.now());
  }

  #take(message: ServerMessage, nowMs: number): void {
    switch (message.type) {
      case "quotes":
        this.quotes.take(message.data, nowMs, this.#isCurrent);
        break;
      case "depth":
        for (const key of this.books.take(message.data, this.#isCurrent)) this.quotes.touch(key);
        break;
      case "status":
        this.#status.value = message.data.at(-1) ?? null;
        this.#statusMs = nowMs;
        this.#isGatewayCurrent = true;
        this.#judge(nowMs);
        break;
      case "heartbeat":
        this.#isGatewayCurrent = message.feed_is_current;
        this.#judge(nowMs);
        break;
      case "ack":
        if (this.#subscriptions.answered(message.id, message.results).length > 0) this.#changed();
        break;
      case "outcomes":
        if (this.#subscriptions.changed(message.channel, message.results).length > 0)
          this.#changed();
        break;
      case "error":
        if (typeof message.id === "number") this.#subscriptions.refused(message.id);
        if (!ENDINGS.has(message.code)) this.#report(new Refusal(0, message.code, message.detail));
        this.#changed();
        break;
      default:
        break; // other channels have readers of their own
    }
  }

  /** All prices are outdated together, the moment that the way of prices is not good any more. */
  #judge(nowMs: number): void {
    const isGood = isPathGood(this.path, nowMs);
    if (this.#wasGood && !isGood) this.#cutPrices();
    if (isGood) this.#goodMs = this.#statusMs;
    this.#wasGood = isGood;
    this.#changed();
  }

  /** Whether what comes now is of now, and not what the gateway had before a cut. */
  get #isCurrent(): boolean {
    return this.#status.peek() === null || this.#wasGood;
  }

  #cutPrices(): void {
    this.quotes.cut();
    this.books.cut();
  }

  #changed(): void {
    this.#revision.value = this.#revision.peek() + 1;
  }
}
