/** One stream that stays open: authenticates, subscribes, notices that it is mute, and reconnects. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import { pauseMs } from "../backoff.ts";
import type { Cancel, Clock } from "../clock.ts";
import type { Renewal } from "../session/session.ts";
import { reactionTo } from "./close_codes.ts";
import { Liveness } from "./liveness.ts";
import { type ClientMessage, parse, type ServerMessage } from "./protocol.ts";
import type { Reconnects } from "./reconnects.ts";
import type { Subscriptions } from "./subscriptions.ts";

export interface Socket {
  send(text: string): void;
  close(): void;
}

export interface SocketHandlers {
  opened(): void;
  received(text: string): void;
  closed(code: number): void;
}

export interface StreamPorts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly open: (handlers: SocketHandlers) => Socket;
  readonly token: () => Promise<string | null>;
  readonly renew: () => Promise<Renewal>;
  readonly isVisible: () => boolean;
  readonly reconnects: Pick<Reconnects, "add">;
}

export interface StreamListener {
  opened(nowMs: number): void;
  received(message: ServerMessage, nowMs: number): void;
  cut(nowMs: number): void;
}

export type StreamState =
  | { readonly kind: "stopped" }
  | { readonly kind: "connecting" }
  | { readonly kind: "open"; readonly sinceMs: number }
  | { readonly kind: "waiting"; readonly untilMs: number; readonly reason: string };

const CONNECT_MS = 10_000;
const CHECK_MS = 1_000;
/** A stream that was open for so long has worked: the next pause is short again. */
const STABLE_MS = 10_000;
/** There was no close frame. */
const NO_FRAME = 1006;

export class Stream {
  readonly #state = signal<StreamState>({ kind: "stopped" });
  readonly #roundTripMs = signal<number | null>(null);
  readonly #ports: StreamPorts;
  readonly #subscriptions: Subscriptions;
  readonly #listener: StreamListener;
  #socket: Socket | null = null;
  #connection = 0;
  #liveness = new Liveness(0);
  #failures = 0;
  #sentToken: string | null = null;
  #cancelTimer: Cancel = () => {};

  constructor(ports: StreamPorts, subscriptions: Subscriptions, listener: StreamListener) {
    this.#ports = ports;
    this.#subscriptions = subscriptions;
    this.#listener = listener;
  }

  get state(): ReadonlySignal<StreamState> {
    return this.#state;
  }

  get roundTripMs(): ReadonlySignal<number | null> {
    return this.#roundTripMs;
  }

  start(): void {
    if (this.#state.peek().kind === "stopped") void this.#connect();
  }

  /** Close for good, or until the next `start`. */
  stop(): void {
    const wasOpen = this.#state.peek().kind === "open";
    this.#drop();
    this.#state.value = { kind: "stopped" };
    if (wasOpen) this.#listener.cut(this.#ports.clock.now());
  }

  /** Doubt the connection: the network has changed, or the page is shown again. */
  doubt(): void {
    const { kind } = this.#state.peek();
    if (kind === "waiting") void this.#connect();
    else if (kind === "open") {
      this.#liveness.ask(this.#ports.clock.now());
      this.#send([{ op: "ping" }]);
    }
  }

  /** Requests to the server. Without a stream they are not needed: a new one subscribes to all. */
  send(messages: readonly ClientMessage[]): void {
    if (this.#state.peek().kind === "open") this.#send(messages);
  }

  async #connect(): Promise<void> {
    this.#drop();
    const connection = this.#connection;
    this.#state.value = { kind: "connecting" };
    const token = await this.#ports.token();
    if (connection !== this.#connection) return;
    if (token === null) {
      this.#wait(NO_FRAME);
      return;
    }
    const whileCurrent =
      <T extends unknown[]>(work: (...given: T) => void) =>
      (...given: T) => {
        if (connection === this.#connection) work(...given);
      };
    this.#cancelTimer = this.#ports.clock.later(CONNECT_MS, () => this.#lost(NO_FRAME));
    this.#socket = this.#ports.open({
      opened: whileCurrent(() => this.#authenticate(token)),
      received: whileCurrent((text: string) => this.#received(text)),
      closed: whileCurrent((code: number) => this.#lost(code)),
    });
  }

  #authenticate(token: string): void {
    this.#sentToken = token;
    this.#send([{ op: "auth", token }]);
  }

  #received(text: string): void {
    const nowMs = this.#ports.clock.now();
    this.#liveness.heard(nowMs);
    const message = parse(text);
    if (message === null) return;
    if (message.type === "authenticated") this.#authenticated(nowMs);
    else if (message.type === "expiring") void this.#presentNewToken();
    else if (message.type === "pong") {
      this.#liveness.answered(nowMs);
      this.#roundTripMs.value = this.#liveness.roundTripMs;
    }
    this.#listener.received(message, nowMs);
  }

  #authenticated(nowMs: number): void {
    if (this.#state.peek().kind === "open") return; // the answer to a newer token
    this.#state.value = { kind: "open", sinceMs: nowMs };
    this.#liveness = new Liveness(nowMs);
    this.#listener.opened(nowMs);
    this.#send([...this.#subscriptions.all(), { op: "ping" }]);
    this.#liveness.ask(nowMs);
    this.#cancelTimer();
    this.#checkLater();
  }

  async #presentNewToken(): Promise<void> {
    const connection = this.#connection;
    let token = await this.#ports.token();
    if (token === this.#sentToken && (await this.#ports.renew()) === "renewed") {
      token = await this.#ports.token();
    }
    if (connection === this.#connection && token !== null && token !== this.#sentToken) {
      this.#authenticate(token);
    }
  }

  #checkLater(): void {
    this.#cancelTimer = this.#ports.clock.later(CHECK_MS, () => {
      const verdict = this.#liveness.check(this.#ports.clock.now(), this.#ports.isVisible());
      if (verdict === "lost") this.#lost(NO_FRAME);
      else {
        if (verdict === "ask") this.#send([{ op: "ping" }]);
        this.#checkLater();
      }
    });
  }

  #lost(code: number): void {
    const nowMs = this.#ports.clock.now();
    const state = this.#state.peek();
    if (state.kind === "open") {
      if (nowMs - state.sinceMs >= STABLE_MS) this.#failures = 0;
      this.#ports.reconnects.add({ at_ms: nowMs, reason: reactionTo(code).reason });
    }
    this.#wait(code);
    if (state.kind === "open") this.#listener.cut(nowMs);
  }

  #wait(code: number): void {
    this.#drop();
    const { renew, backoff, reason } = reactionTo(code);
    const pause = pauseMs(this.#failures, backoff, this.#ports.random);
    this.#failures += 1;
    this.#state.value = { kind: "waiting", untilMs: this.#ports.clock.now() + pause, reason };
    const connection = this.#connection;
    this.#cancelTimer = this.#ports.clock.later(pause, () => {
      if (!renew) void this.#connect();
      else void this.#renewAndConnect(connection);
    });
  }

  /** If the session is over, its owner stops this stream. */
  async #renewAndConnect(connection: number): Promise<void> {
    const renewal = await this.#ports.renew();
    if (connection === this.#connection && renewal !== "ended") await this.#connect();
  }

  #send(messages: readonly ClientMessage[]): void {
    for (const message of messages) this.#socket?.send(JSON.stringify(message));
  }

  /** Forget the socket: nothing that it still reports counts. */
  #drop(): void {
    this.#connection += 1;
    this.#cancelTimer();
    this.#roundTripMs.value = null;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }
}
