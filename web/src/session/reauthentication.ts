/** Asks for the password when the server wants it again, and then repeats what was refused. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import type { Client } from "../api/client.ts";
import { Declined, Refusal } from "../api/problems.ts";
import { PASSWORD_TIMEOUT_MS } from "../api/rest.ts";

export class Reauthentication {
  readonly #call: Client["call"];
  readonly #isAsking = signal(false);
  #answer: (password: string | null) => void = () => {};

  constructor(call: Client["call"]) {
    this.#call = call;
  }

  /** Whether the user is asked for the password now. */
  get isAsking(): ReadonlySignal<boolean> {
    return this.#isAsking;
  }

  /** Runs `work`; asks for the password if the server refuses it for that, and runs it once more. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const isWanted = error instanceof Refusal && error.code === "reauthentication_required";
      if (!isWanted) throw error;
      const password = await this.#ask();
      if (password === null) throw new Declined("Nothing was changed.");
      const options = { body: { password }, timeoutMs: PASSWORD_TIMEOUT_MS };
      await this.#call("/auth/reauthenticate", { method: "POST", ...options });
      return work();
    }
  }

  /** The user's answer; `null` if the user has cancelled. */
  answer(password: string | null): void {
    this.#isAsking.value = false;
    const answer = this.#answer;
    this.#answer = () => {};
    answer(password);
  }

  #ask(): Promise<string | null> {
    this.answer(null); // one question at a time: an earlier one is cancelled
    this.#isAsking.value = true;
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }
}
