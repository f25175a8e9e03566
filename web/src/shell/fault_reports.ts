/** Tells the gateway of faults of the page: each once, and only some. */
import { isFault } from "../api/problems.ts";
import type { Fetch } from "../api/rest.ts";

const PATH = "/page-reports";
const MOST = 10;
const MOST_CHARS = 200;
const TIMEOUT_MS = 8_000;

export class FaultReports {
  readonly #fetch: Fetch;
  readonly #source: string;
  readonly #sent = new Set<string>();

  /** `source` says which build of the page it is. */
  constructor(fetch: Fetch, source: string) {
    this.#fetch = fetch;
    this.#source = source;
  }

  /** Does nothing for what is no fault: refusals and lost connections. */
  async send(trouble: unknown): Promise<void> {
    const message = String(trouble).slice(0, MOST_CHARS);
    if (!isFault(trouble) || this.#sent.has(message) || this.#sent.size >= MOST) return;
    this.#sent.add(message);
    const body = [{ type: "page-error", body: { message, source: this.#source } }];
    try {
      await this.#fetch(PATH, {
        method: "POST",
        headers: { "Content-Type": "application/reports+json" },
        body: JSON.stringify(body),
        keepalive: true,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch {
      this.#sent.delete(message); // the gateway is away: told when it happens again
    }
  }
}
