/** Subscriptions of the page's views, and the server's answer for each key. Pure. */
import type { Channel, ClientMessage, Outcome } from "./protocol.ts";

/** A message may have 16 KiB and a key 128 characters. */
const KEYS_PER_MESSAGE = 100;

/** Every page needs these, and they have no keys. */
const KEYLESS = ["status", "orders"] as const;

/** `refused`: the request was refused as a whole, for example beyond a limit. */
export type KeyOutcome = Outcome | "asked" | "refused";

interface Followed {
  views: number;
  outcome: KeyOutcome;
}

export class Subscriptions {
  readonly #channels = new Map<Channel, Map<string, Followed>>();
  readonly #intervalsMs = new Map<Channel, number>();
  readonly #asked = new Map<
    number,
    { readonly channel: Channel; readonly keys: readonly string[] }
  >();
  #lastId = 0;

  /** Follow keys for one more view. The messages to send; none if all are followed already. */
  follow(channel: Channel, keys: readonly string[]): ClientMessage[] {
    const followed = this.#of(channel);
    const added: string[] = [];
    for (const key of keys) {
      const known = followed.get(key);
      if (known !== undefined) known.views += 1;
      else {
        followed.set(key, { views: 1, outcome: "asked" });
        added.push(key);
      }
    }
    return this.#subscribe(channel, added);
  }

  /** A view follows the keys no longer. */
  unfollow(channel: Channel, keys: readonly string[]): ClientMessage[] {
    const followed = this.#of(channel);
    const removed = keys.filter((key) => {
      const known = followed.get(key);
      if (known === undefined) return false;
      known.views -= 1;
      return known.views === 0 && followed.delete(key);
    });
    return chunks(removed).map((part) => {
      const id = this.#nextId(channel, part);
      return { op: "unsubscribe", id, channel, keys: part };
    });
  }

  /** Change how often a key of the channel is sent. All keys are subscribed again. */
  setInterval(channel: Channel, intervalMs: number): ClientMessage[] {
    if (this.#intervalsMs.get(channel) === intervalMs) return [];
    this.#intervalsMs.set(channel, intervalMs);
    return this.#subscribe(channel, [...this.#of(channel).keys()]);
  }

  /** Everything again, for a new stream. */
  all(): ClientMessage[] {
    this.#asked.clear();
    const messages = KEYLESS.map((channel): ClientMessage => {
      return { op: "subscribe", id: this.#nextId(channel, []), channel };
    });
    for (const [channel, followed] of this.#channels) {
      for (const known of followed.values()) known.outcome = "asked";
      messages.push(...this.#subscribe(channel, [...followed.keys()]));
    }
    return messages;
  }

  /** The keys whose outcome an answer has changed. */
  answered(id: number, results: Readonly<Record<string, Outcome>>): string[] {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    return asked === undefined ? [] : this.changed(asked.channel, results);
  }

  changed(channel: Channel, results: Readonly<Record<string, Outcome>>): string[] {
    return this.#set(channel, Object.entries(results));
  }

  /** The request `id` was refused. */
  refused(id: number): string[] {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    return asked === undefined
      ? []
      : this.#set(
          asked.channel,
          asked.keys.map((key) => [key, "refused"]),
        );
  }

  outcome(channel: Channel, key: string): KeyOutcome {
    return this.#channels.get(channel)?.get(key)?.outcome ?? "removed";
  }

  #set(channel: Channel, outcomes: readonly (readonly [string, KeyOutcome])[]): string[] {
    const followed = this.#of(channel);
    return outcomes.flatMap(([key, outcome]) => {
      const known = followed.get(key);
      if (known === undefined) return [];
      known.outcome = outcome;
      return [key];
    });
  }

  #subscribe(channel: Channel, keys: readonly string[]): ClientMessage[] {
    const interval = this.#intervalsMs.get(channel);
    return chunks(keys).map((part) => {
      const message = {
        op: "subscribe" as const,
        id: this.#nextId(channel, part),
        channel,
        keys: part,
      };
      return interval === undefined ? message : { ...message, interval_ms: interval };
    });
  }

  #nextId(channel: Channel, keys: readonly string[]): number {
    this.#lastId += 1;
    this.#asked.set(this.#lastId, { channel, keys });
    return this.#lastId;
  }

  #of(channel: Channel): Map<string, Followed> {
    const followed = this.#channels.get(channel) ?? new Map<string, Followed>();
    this.#channels.set(channel, followed);
    return followed;
  }
}

function chunks(keys: readonly string[]): string[][] {
  const parts: string[][] = [];
  for (let start = 0; start < keys.length; start += KEYS_PER_MESSAGE) {
    parts.push(keys.slice(start, start + KEYS_PER_MESSAGE));
  }
  return parts;
}
