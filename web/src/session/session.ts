/** The login session of this tab: its access token, in memory only, and the renewal of it. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import { endsSession, NoAnswer } from "../api/problems.ts";
import { pauseMs } from "../backoff.ts";
import type { Cancel, Clock } from "../clock.ts";
import { userOf } from "./access_token.ts";
import type { AuthCalls, Credentials, Tokens } from "./auth_calls.ts";

export type SessionState =
  | { readonly kind: "starting"; readonly trouble: boolean }
  | { readonly kind: "anonymous"; readonly reason: "none" | "ended" | "logged_out" }
  | { readonly kind: "active"; readonly userId: string };

export type Renewal = "renewed" | "ended" | "unreachable";
export type TabMessage = "logged_in" | "logged_out";

/** The other tabs of this browser. They share the cookie, not the access token. */
export interface Tabs {
  tell(message: TabMessage): void;
  listen(receive: (message: TabMessage) => void): void;
}

export interface SessionPorts {
  readonly auth: AuthCalls;
  readonly clock: Clock;
  readonly tabs: Tabs;
  readonly random: () => number;
  /** Runs while no other tab does: a refresh token can be used once. */
  readonly exclusively: <T>(work: () => Promise<T>) => Promise<T>;
}

const RENEW_BEFORE_MS = 60_000;
const SHORTEST_MS = 5_000;
const RETRY = { firstMs: 1_000, mostMs: 10_000 };
/** The second one follows at once: the answer to the first may be lost, and is repeated for a while. */
const ATTEMPTS_AT_ONCE = 2;

export class Session {
  readonly #state = signal<SessionState>({ kind: "starting", trouble: false });
  readonly #ports: SessionPorts;
  #token: string | null = null;
  #expiresAtMs = 0;
  #failures = 0;
  #generation = 0;
  #renewing: Promise<Renewal> | null = null;
  #cancelTimer: Cancel = () => {};

  constructor(ports: SessionPorts) {
    this.#ports = ports;
    ports.tabs.listen((message) => {
      if (message === "logged_out") this.#end("logged_out");
      else if (this.#state.peek().kind === "anonymous") void this.renew();
    });
  }

  get state(): ReadonlySignal<SessionState> {
    return this.#state;
  }

  /** A token that is valid for some seconds more, `null` without a session or a connection. */
  async token(): Promise<string | null> {
    const left = this.#expiresAtMs - this.#ports.clock.now();
    if (this.#token === null || left < SHORTEST_MS) await this.renew();
    return this.#token;
  }

  /** Renew now if the token is about to expire, for example after the machine has slept. */
  wake(): void {
    const left = this.#expiresAtMs - this.#ports.clock.now();
    if (this.#state.peek().kind === "starting" || (this.#token && left < RENEW_BEFORE_MS)) {
      void this.renew();
    }
  }

  /** Exchange the cookie for a new token. Calls at the same time share one request. */
  renew(): Promise<Renewal> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async logIn(credentials: Credentials): Promise<void> {
    this.#enter(await this.#ports.auth.logIn(credentials));
    this.#ports.tabs.tell("logged_in");
  }

  async signUp(credentials: Credentials): Promise<void> {
    await this.#ports.auth.signUp(credentials);
    await this.logIn(credentials);
  }

  /** Ends the session at the server first: if that fails, it is not ended, and the error says so. */
  async logOut(): Promise<void> {
    const token = await this.token();
    if (token !== null) await this.#ports.auth.logOut(token);
    this.#ports.tabs.tell("logged_out");
    this.#end("logged_out");
  }

  async #renew(): Promise<Renewal> {
    const generation = this.#generation;
    for (let attempt = 0; attempt < ATTEMPTS_AT_ONCE; attempt += 1) {
      try {
        const tokens = await this.#ports.exclusively(() => this.#ports.auth.refresh());
        if (generation !== this.#generation) return this.#token === null ? "ended" : "renewed";
        return this.#enter(tokens);
      } catch (error) {
        if (generation !== this.#generation) return this.#token === null ? "ended" : "renewed";
        if (endsSession(error)) {
          const { kind } = this.#state.peek();
          // The reason of a session that has ended already stays.
          if (kind !== "anonymous") this.#end(kind === "active" ? "ended" : "none");
          return "ended";
        }
        if (!(error instanceof NoAnswer)) break;
      }
    }
    return this.#retryLater();
  }

  #enter(tokens: Tokens): Renewal {
    const userId = userOf(tokens.access_token);
    if (userId === null) return this.#end("ended");
    this.#generation += 1;
    this.#failures = 0;
    this.#token = tokens.access_token;
    this.#expiresAtMs = this.#ports.clock.now() + tokens.expires_in * 1_000;
    this.#schedule(Math.max(SHORTEST_MS, tokens.expires_in * 1_000 - RENEW_BEFORE_MS));
    const state = this.#state.peek();
    // Another user may have logged in in another tab: the cookie is then that user's.
    if (state.kind !== "active" || state.userId !== userId) {
      this.#state.value = { kind: "active", userId };
    }
    return "renewed";
  }

  #end(reason: "none" | "ended" | "logged_out"): Renewal {
    this.#generation += 1;
    this.#token = null;
    this.#expiresAtMs = 0;
    this.#cancelTimer();
    this.#state.value = { kind: "anonymous", reason };
    return "ended";
  }

  #retryLater(): Renewal {
    if (this.#state.peek().kind === "starting") {
      this.#state.value = { kind: "starting", trouble: true };
    }
    this.#schedule(pauseMs(this.#failures, RETRY, this.#ports.random));
    this.#failures += 1;
    return "unreachable";
  }

  #schedule(pause: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#ports.clock.later(pause, () => void this.renew());
  }
}
