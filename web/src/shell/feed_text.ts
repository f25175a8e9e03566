/** The state of stream and feed in words, for the header. Pure. */
import { isPathGood, type Path } from "../market/freshness.ts";
import type { StreamState } from "../stream/stream.ts";
import { timeOfDay } from "../ui/format.ts";

export interface FeedText {
  /** A screen reader announces each change of it. */
  readonly text: string;
  /** Since when, and why. */
  readonly detail: string;
  readonly tone: "good" | "calm" | "bad";
}

const WORDS: Readonly<Record<string, string>> = {
  live: "Feed live",
  closed: "Market closed",
  connecting: "Feed connecting",
  stale: "Feed silent",
  unauthorised: "Feed without a token",
  failing_over: "Feed changing over",
};

export function feedText(stream: StreamState, path: Path, nowMs: number): FeedText {
  const since = `since ${timeOfDay(path.goodMs)}`;
  if (stream.kind === "waiting") {
    const again = `${stream.reason}; next attempt at ${timeOfDay(stream.untilMs)}`;
    return { text: "Not connected", detail: `${since}: ${again}`, tone: "bad" };
  }
  if (stream.kind !== "open") return { text: "Connecting", detail: since, tone: "bad" };
  const { status } = path;
  if (status === null) return { text: "Waiting for the feed", detail: since, tone: "calm" };
  if (!isPathGood(path, nowMs) && (status.state === "live" || status.state === "closed")) {
    return { text: "Feed not heard", detail: since, tone: "bad" };
  }
  const words = WORDS[status.state] ?? status.state;
  return {
    text: status.simulated ? `${words} (simulated)` : words,
    detail: `since ${timeOfDay(status.since)}${status.detail ? `: ${status.detail}` : ""}`,
    tone: status.state === "live" ? "good" : status.state === "closed" ? "calm" : "bad",
  };
}
