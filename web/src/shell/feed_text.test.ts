import { expect, test } from "vitest";
import type { Path } from "../market/freshness.ts";
import { feedText } from "./feed_text.ts";

const AT = Date.UTC(2026, 10, 27, 8, 35, 0);
const OPEN = { kind: "open", sinceMs: AT } as const;
const PATH: Path = {
  cutSinceMs: null,
  status: { state: "live", since: AT, epoch: 1 },
  statusMs: AT,
  isGatewayCurrent: true,
  goodMs: AT,
};

test("a live feed is good, and a simulated one is named as such", () => {
  expect(feedText(OPEN, PATH, AT)).toEqual({
    text: "Feed live",
    detail: "since 14:05:00",
    tone: "good",
  });
  const status = { state: "live", since: AT, epoch: 1, simulated: true } as const;
  expect(feedText(OPEN, { ...PATH, status }, AT).text).toBe("Feed live (simulated)");
});

test("a lost connection has its reason and the time of the next attempt", () => {
  const waiting = { kind: "waiting", untilMs: AT + 9_000, reason: "the server restarts" } as const;
  expect(feedText(waiting, { ...PATH, cutSinceMs: AT }, AT)).toEqual({
    text: "Not connected",
    detail: "since 14:05:00: the server restarts; next attempt at 14:05:09",
    tone: "bad",
  });
});

test("a feed of which nothing is heard is not called live", () => {
  expect(feedText(OPEN, PATH, AT + 6_000).text).toBe("Feed not heard");
  expect(feedText(OPEN, { ...PATH, isGatewayCurrent: false }, AT).tone).toBe("bad");
});

test("the feed's own reason is shown", () => {
  const status = {
    state: "unauthorised",
    since: AT,
    epoch: 1,
    detail: "the token has expired",
  } as const;
  expect(feedText(OPEN, { ...PATH, status }, AT)).toMatchObject({
    detail: "since 14:05:00: the token has expired",
    tone: "bad",
  });
});
