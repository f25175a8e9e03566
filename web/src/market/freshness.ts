/** How far a shown price can be trusted, from the stream, the feed and the quote itself. Pure. */
import type { FeedStatus } from "../stream/protocol.ts";
import type { KeyOutcome } from "../stream/subscriptions.ts";
import type { Held } from "./quotes.ts";

export type Freshness =
  | { readonly kind: "fresh" }
  /** The state of the feed is overdue, but not yet for long. */
  | { readonly kind: "ageing" }
  /** The price may have moved without this page having seen it. */
  | { readonly kind: "stale"; readonly sinceMs: number }
  /** Its market is closed: the price is the last one of the day. */
  | { readonly kind: "closed" }
  | { readonly kind: "unknown" };

/** State of the path of prices to this page. */
export interface Path {
  /** Since when the stream is not open; `null` while it is. */
  readonly cutSinceMs: number | null;
  readonly status: FeedStatus | null;
  /** When the newest state of the feed was received. */
  readonly statusMs: number;
  /** Whether the gateway itself has a recent state of the feed. */
  readonly isGatewayCurrent: boolean;
  /** When the feed was last known to be good. */
  readonly goodMs: number;
}

const BEAT_MS = 2_000;
/** One state was missed. */
const AGEING_MS = BEAT_MS * 1.75;
/** The gateway calls the feed outdated after the same time. */
export const OUTDATED_MS = BEAT_MS * 3;

const CLOSED_PHASES: ReadonlySet<string> = new Set([
  "NORMAL_CLOSE",
  "CLOSING_START",
  "CLOSING_END",
]);

/** Whether no trade is missed in this state of the feed. */
export const isFeedGood = ({ state }: FeedStatus): boolean =>
  state === "live" || state === "closed";

/** Whether prices can reach this page at all at the moment. */
export function isPathGood(path: Path, nowMs: number): boolean {
  return (
    path.cutSinceMs === null &&
    path.isGatewayCurrent &&
    path.status !== null &&
    isFeedGood(path.status) &&
    nowMs - path.statusMs < OUTDATED_MS
  );
}

function isClosed(key: string, status: FeedStatus): boolean {
  const phase = status.segments?.[key.split("|", 1)[0] ?? ""];
  return status.state === "closed" || (phase !== undefined && CLOSED_PHASES.has(phase));
}

export function freshness(
  key: string,
  held: Held | undefined,
  outcome: KeyOutcome,
  path: Path,
  nowMs: number,
): Freshness {
  if (held === undefined) return { kind: "unknown" };
  const { status } = path;
  if (status === null || !isPathGood(path, nowMs)) {
    return { kind: "stale", sinceMs: Math.max(path.goodMs, held.receivedMs) };
  }
  if (isClosed(key, status)) return { kind: "closed" };
  const isDelivered = outcome === "live" || outcome === "asked";
  if (held.isBeforeCut || !isDelivered || status.stale?.includes(key)) {
    return { kind: "stale", sinceMs: held.receivedMs };
  }
  return nowMs - path.statusMs >= AGEING_MS ? { kind: "ageing" } : { kind: "fresh" };
}
