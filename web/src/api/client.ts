/** Requests of a logged-in user: with the session's token, and once more after a renewal. */
import type { Session } from "../session/session.ts";
import type { components as auth } from "./auth.gen.ts";
import type { components } from "./gateway.gen.ts";
import { NoAnswer, Refusal } from "./problems.ts";
import { type Fetch, type Options, request } from "./rest.ts";

export type Instrument = components["schemas"]["Instrument"];
export type Account = auth["schemas"]["Account"];
type Instruments = components["schemas"]["Instruments"];

/** The gateway takes more, but an address has its limits too. */
const KEYS_PER_REQUEST = 50;
const RESULTS = 12;

export class Client {
  readonly #fetch: Fetch;
  readonly #session: Pick<Session, "token" | "renew" | "state">;
  readonly #userId: string | null;

  /** With a user, nothing is sent for another one who has logged in since. */
  constructor(
    fetch: Fetch,
    session: Pick<Session, "token" | "renew" | "state">,
    userId: string | null = null,
  ) {
    this.#fetch = fetch;
    this.#session = session;
    this.#userId = userId;
  }

  /** Throws Refusal or NoAnswer. */
  async call(path: string, options: Options = {}): Promise<unknown> {
    try {
      return await this.#send(path, options);
    } catch (error) {
      const isTokenRefused = error instanceof Refusal && error.status === 401;
      if (!isTokenRefused || (await this.#session.renew()) !== "renewed") throw error;
      return this.#send(path, options);
    }
  }

  async search(words: string, signal: AbortSignal): Promise<readonly Instrument[]> {
    const query = { q: words, limit: RESULTS };
    return ((await this.call("/v1/instruments", { query, signal })) as Instruments).instruments;
  }

  async instruments(keys: readonly string[]): Promise<readonly Instrument[]> {
    const found: Instrument[] = [];
    for (let start = 0; start < keys.length; start += KEYS_PER_REQUEST) {
      const query = { keys: keys.slice(start, start + KEYS_PER_REQUEST) };
      const answer = (await this.call("/v1/instruments", { query })) as Instruments;
      found.push(...answer.instruments);
    }
    return found;
  }

  async account(): Promise<Account> {
    return (await this.call("/auth/me")) as Account;
  }

  async #send(path: string, options: Options): Promise<unknown> {
    const token = await this.#session.token();
    if (token === null) throw new NoAnswer("there is no access token");
    const state = this.#session.state.peek();
    const isOther = state.kind === "active" && state.userId !== this.#userId;
    if (this.#userId !== null && isOther) throw new NoAnswer("another user has logged in");
    return request(this.#fetch, path, { ...options, token });
  }
}
