import { expect, test } from "vitest";
import { quoteAge, storedUntil, subscribed } from "./figures.ts";

const UNTIL = Date.parse("2026-11-30T15:30:00+05:30");

test("the age of the newest quote is unknown without one, and may be zero", () => {
  expect([undefined, null, 0, 65_000].map(quoteAge)).toEqual([
    "–",
    "–",
    "0\u00a0s old",
    "1\u00a0min old",
  ]);
});

test("how far bars are stored is a delay too, by the clock of the server", () => {
  expect(storedUntil(UNTIL, UNTIL + 7 * 60_000)).toBe("30 Nov 2026 15:30, 7\u00a0min ago");
  expect(storedUntil(UNTIL, undefined)).toBe("30 Nov 2026 15:30");
  expect([storedUntil(null, UNTIL), storedUntil(undefined, undefined)]).toEqual(["–", "–"]);
});

test("subscriptions are shown against the limit of their mode", () => {
  const modes = {
    full: { subscribed: 1_204, limit: 1_500 },
    option_greeks: { subscribed: 0, limit: 2_000 },
  };
  expect(subscribed(modes)).toBe("1,204 of 1,500 full, 0 of 2,000 option greeks");
  expect([null, undefined, {}].map(subscribed)).toEqual(["–", "–", "–"]);
});
