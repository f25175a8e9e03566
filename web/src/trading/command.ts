/** One command: sent with one key until its answer is known, and executed at most once. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import { NoAnswer, Refusal } from "../api/problems.ts";
import { pauseMs } from "../backoff.ts";
import type { Clock } from "../clock.ts";

export type CommandState<T> =
  | { readonly kind: "new" }
  | { readonly kind: "sending" }
  /** An answer was lost: the command may have been executed. Not `isAsking`: the user decides. */
  | {
      readonly kind: "unknown";
      readonly isAsking: boolean;
      /** What the server said last; `null` if it did not answer. */
      readonly refusal: Refusal | null;
    }
  | { readonly kind: "done"; readonly answer: T }
  | { readonly kind: "refused"; readonly error: Refusal };

export interface CommandPorts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly newKey: () => string;
}

const PAUSES = { firstMs: 400, mostMs: 3_000 };
/** Repeated for so long only: one that never arrived would otherwise be executed at a much later price. */
const ASKING_MS = 30_000;
/** Refusals of this attempt, which say nothing about an earlier one. */
const OF_ATTEMPT: ReadonlySet<number> = new Set([401, 403, 429]);

function unknown(isAsking: boolean, refusal: Refusal | null) {
  return { kind: "unknown", isAsking, refusal } as const;
}

function isAnswer(error: unknown, isMaybeDone: boolean): error is Refusal {
  if (!(error instanceof Refusal) || error.status >= 500) return false;
  if (error.code === "command_in_flight") return false;
  return !(isMaybeDone && OF_ATTEMPT.has(error.status));
}

export class Command<T> {
  readonly #state = signal<CommandState<T>>({ kind: "new" });
  readonly #send: (key: string) => Promise<T>;
  readonly #ports: CommandPorts;
  readonly #key: string;

  constructor(send: (key: string) => Promise<T>, ports: CommandPorts) {
    this.#send = send;
    this.#ports = ports;
    this.#key = ports.newKey();
  }

  get state(): ReadonlySignal<CommandState<T>> {
    return this.#state;
  }

  /** Send, and ask again after lost answers. Again after `unknown`: with the same key. */
  async run(): Promise<CommandState<T>> {
    const { kind } = this.#state.peek();
    const isMaybeDone = kind === "unknown";
    if (kind === "new" || isMaybeDone) await this.#ask(isMaybeDone);
    return this.#state.peek();
  }

  async #ask(wasMaybeDone: boolean): Promise<void> {
    const endMs = this.#ports.clock.now() + ASKING_MS;
    this.#state.value = wasMaybeDone ? unknown(true, null) : { kind: "sending" };
    let isMaybeDone = wasMaybeDone;
    for (let attempt = 0; ; attempt += 1) {
      try {
        const answer = await this.#send(this.#key);
        this.#state.value = { kind: "done", answer };
        return;
      } catch (error) {
        if (isAnswer(error, isMaybeDone)) {
          this.#state.value = { kind: "refused", error };
          return;
        }
        isMaybeDone = true;
        const refusal = error instanceof Refusal ? error : null;
        this.#state.value = unknown(true, refusal);
        const isTemporary = error instanceof NoAnswer || error instanceof Refusal;
        if (isTemporary && (await this.#pause(error, attempt, endMs))) continue;
        this.#state.value = unknown(false, refusal);
        if (!isTemporary) throw error; // a fault of the page
        return;
      }
    }
  }

  /** Whether there is time for another attempt. The computer may have slept in the pause. */
  async #pause(error: NoAnswer | Refusal, attempt: number, endMs: number): Promise<boolean> {
    const { clock, random } = this.#ports;
    const retryMs = error instanceof Refusal ? (error.retryAfterSecs ?? 0) * 1_000 : 0;
    const pause = Math.max(retryMs, pauseMs(attempt, PAUSES, random));
    if (clock.now() + pause >= endMs) return false;
    await new Promise<void>((resolve) => clock.later(pause, resolve));
    return clock.now() < endMs;
  }
}
