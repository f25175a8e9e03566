/** The reaction to the end of a stream, by its close code (docs/errors.md). Pure. */
import type { Backoff } from "../backoff.ts";

export interface Reaction {
  /** Whether the access token must be renewed before the next attempt. */
  readonly renew: boolean;
  readonly backoff: Backoff;
  /** For the log of reconnects. */
  readonly reason: string;
}

const SOON: Backoff = { firstMs: 500, mostMs: 15_000 };
const LATER: Backoff = { firstMs: 30_000, mostMs: 120_000 };

const REACTIONS: Readonly<Record<number, Reaction>> = {
  1009: { renew: false, backoff: LATER, reason: "a message of the page was too long" },
  1012: {
    renew: false,
    backoff: { firstMs: 3_000, mostMs: 15_000 },
    reason: "the server restarts",
  },
  4400: { renew: false, backoff: LATER, reason: "the page sent malformed messages" },
  4401: { renew: true, backoff: SOON, reason: "the access token had expired" },
  4403: { renew: true, backoff: SOON, reason: "the session was ended" },
  4408: { renew: false, backoff: SOON, reason: "this computer did not read fast enough" },
  4429: { renew: false, backoff: LATER, reason: "there are too many streams or messages" },
};

const BROKEN: Reaction = { renew: false, backoff: SOON, reason: "the connection was lost" };

export function reactionTo(code: number): Reaction {
  return REACTIONS[code] ?? BROKEN;
}
