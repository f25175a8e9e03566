/** A clock that tests move. Timers run in their order, with promises settled in between. */
import type { Cancel, Clock } from "../clock.ts";

interface Timer {
  readonly at: number;
  readonly work: () => void;
}

/** Lets everything run that already can. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

export class ManualClock implements Clock {
  #nowMs = 1_795_408_200_000;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#nowMs;
  }

  later(pauseMs: number, work: () => void): Cancel {
    const timer = { at: this.#nowMs + pauseMs, work };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Pass time, and run the timers that become due. */
  async pass(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    await settled();
    for (;;) {
      const [next] = [...this.#timers].filter((one) => one.at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.at);
      next.work();
      await settled();
    }
    this.#nowMs = end;
  }

  /** Let the machine sleep: time passes, and timers run late. */
  jump(ms: number): void {
    this.#nowMs += ms;
  }
}
