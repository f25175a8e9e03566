/** The link to the user's Upstox account: its state, a login, and the request of a new token. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import type { TradingCalls } from "../calls.ts";
import type { Link, LinkLogin } from "../messages.ts";

export type LinkCalls = Pick<
  TradingCalls,
  "link" | "beginLink" | "finishLink" | "requestLink" | "unlink"
>;
export interface OwnApp {
  readonly client_id: string;
  readonly client_secret: string;
}

export class UpstoxLink {
  readonly #state = signal<Link | null>(null);
  readonly #login = signal<LinkLogin | null>(null);
  readonly #calls: LinkCalls;
  /** Counts reads and changes: the answer of a read that one of them overtook is older. */
  #turn = 0;

  constructor(calls: LinkCalls) {
    this.#calls = calls;
  }

  /** `null` until it was read. */
  get state(): ReadonlySignal<Link | null> {
    return this.#state;
  }

  /** The login that was begun here and is not finished. */
  get login(): ReadonlySignal<LinkLogin | null> {
    return this.#login;
  }

  get isLinked(): boolean {
    return this.#state.value?.state === "linked";
  }

  /** Whether there is an account at Upstox, although its login may have ended. */
  get hasAccount(): boolean {
    const state = this.#state.value?.state ?? "unlinked";
    return state !== "unlinked";
  }

  async read(): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    const state = await this.#calls.link();
    if (turn === this.#turn) this.#state.value = state;
  }

  async begin(app: OwnApp | null): Promise<void> {
    this.#login.value = await this.#calls.beginLink(app);
  }

  async finish(answer: string): Promise<void> {
    this.#change(await this.#calls.finishLink(answer));
    this.#login.value = null;
  }

  /** Upstox asks the user in its app, or by WhatsApp. */
  async request(): Promise<void> {
    this.#change(await this.#calls.requestLink());
  }

  async unlink(): Promise<void> {
    this.#change(await this.#calls.unlink());
    this.#login.value = null;
  }

  #change(state: Link): void {
    this.#turn += 1;
    this.#state.value = state;
  }
}
