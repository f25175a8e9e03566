/** Decides whether an open stream is alive: it may be mute after sleep or a change of network. Pure. */

export type Verdict = "alive" | "ask" | "lost";

/** The state of the feed comes every 2 s, so 6 s without any message is suspect. */
const SILENT_MS = 6_000;
/** Without the channel `status`, the heartbeat comes every 10 s (docs/stream.md). */
const HIDDEN_SILENT_MS = 25_000;
const ANSWER_MS = 2_000;
/** How often the round trip is measured while somebody looks. */
const MEASURE_MS = 10_000;
/** A check that comes this late shows that the machine or the tab was suspended. */
const LATE_MS = 3_000;

export class Liveness {
  #heardMs: number;
  #checkedMs: number;
  #askedMs: number | null = null;
  #answeredMs: number;
  #roundTripMs: number | null = null;

  constructor(nowMs: number) {
    this.#heardMs = nowMs;
    this.#checkedMs = nowMs;
    this.#answeredMs = nowMs;
  }

  /** The time between the last ping and its pong. */
  get roundTripMs(): number | null {
    return this.#roundTripMs;
  }

  heard(nowMs: number): void {
    this.#heardMs = nowMs;
  }

  answered(nowMs: number): void {
    if (this.#askedMs !== null) this.#roundTripMs = nowMs - this.#askedMs;
    this.#askedMs = null;
    this.#answeredMs = nowMs;
  }

  /** To be called every second. After `ask`, a ping must be sent. */
  check(nowMs: number, isVisible: boolean): Verdict {
    const isLate = nowMs - this.#checkedMs > LATE_MS;
    this.#checkedMs = nowMs;
    if (this.#askedMs !== null && !isLate) {
      const isMute = this.#heardMs <= this.#askedMs && nowMs - this.#askedMs >= ANSWER_MS;
      if (isMute) return "lost";
      if (nowMs - this.#askedMs < MEASURE_MS) return "alive";
    }
    const isSilent = nowMs - this.#heardMs >= (isVisible ? SILENT_MS : HIDDEN_SILENT_MS);
    const isDue = isVisible && nowMs - this.#answeredMs >= MEASURE_MS;
    return isLate || isSilent || isDue ? this.ask(nowMs) : "alive";
  }

  /** A reason to doubt: the network has changed, or the page is shown again. */
  ask(nowMs: number): "ask" {
    this.#askedMs = nowMs;
    return "ask";
  }
}
