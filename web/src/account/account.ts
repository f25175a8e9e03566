/** The user's sessions and password. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import type { components } from "../api/auth.gen.ts";
import type { Client } from "../api/client.ts";
import { PASSWORD_TIMEOUT_MS } from "../api/rest.ts";
import type { Reauthentication } from "../session/reauthentication.ts";

export type LoginSession = Readonly<components["schemas"]["SessionBody"]>;
type Sessions = components["schemas"]["Sessions"];
type Ended = components["schemas"]["Ended"];

export class AccountStore {
  readonly #sessions = signal<readonly LoginSession[] | null>(null);
  readonly #call: Client["call"];
  readonly #reauthentication: Pick<Reauthentication, "run">;

  constructor(call: Client["call"], reauthentication: Pick<Reauthentication, "run">) {
    this.#call = call;
    this.#reauthentication = reauthentication;
  }

  /** The active sessions, the newest first; `null` until they were read. */
  get sessions(): ReadonlySignal<readonly LoginSession[] | null> {
    return this.#sessions;
  }

  async read(): Promise<void> {
    this.#sessions.value = ((await this.#call("/auth/sessions")) as Sessions).sessions;
  }

  /** End a session of another device. */
  async end(session: LoginSession): Promise<void> {
    await this.#reauthentication.run(() => this.#end(session));
    await this.read();
  }

  /** End all sessions but this one; returns their number. */
  async endOthers(): Promise<number> {
    await this.read();
    const others = (this.#sessions.peek() ?? []).filter((one) => !one.current);
    for (const session of others) await this.#reauthentication.run(() => this.#end(session));
    await this.read();
    return others.length;
  }

  /** Replace the password; returns how many other sessions that has ended. */
  async changePassword(current: string, next: string): Promise<number> {
    const body = { current_password: current, new_password: next };
    const options = { body, timeoutMs: PASSWORD_TIMEOUT_MS };
    const ended = (await this.#call("/auth/password", { method: "POST", ...options })) as Ended;
    await this.read();
    return ended.sessions_ended;
  }

  async #end({ session_id }: LoginSession): Promise<void> {
    await this.#call(`/auth/sessions/${encodeURIComponent(session_id)}`, { method: "DELETE" });
  }
}
