import { expect, test } from "vitest";
import { Liveness } from "./liveness.ts";

/** Checks every second from `from` to `to`; the verdicts other than "alive", with their second. */
function checks(liveness: Liveness, from: number, to: number, isVisible = true): string[] {
  const found: string[] = [];
  for (let second = from; second <= to; second += 1) {
    const verdict = liveness.check(second * 1_000, isVisible);
    if (verdict !== "alive") found.push(`${second} ${verdict}`);
  }
  return found;
}

test("a stream that is silent for six seconds is asked, and lost two seconds later", () => {
  expect(checks(new Liveness(0), 1, 8)).toEqual(["6 ask", "8 lost"]);
});

test("a stream that answers is alive, and its round trip is known", () => {
  const liveness = new Liveness(0);
  expect(checks(liveness, 1, 6)).toEqual(["6 ask"]);
  liveness.heard(6_040);
  liveness.answered(6_040);
  expect(checks(liveness, 7, 8)).toEqual([]);
  expect(liveness.roundTripMs).toBe(40);
});

test("any message after the question proves that the stream is alive", () => {
  const liveness = new Liveness(0);
  checks(liveness, 1, 6);
  liveness.heard(6_500);
  expect(checks(liveness, 7, 9)).toEqual([]);
});

test("the round trip is measured every ten seconds while the page is visible", () => {
  const liveness = new Liveness(0);
  for (let second = 1; second <= 9; second += 1) {
    liveness.heard(second * 1_000);
    expect(liveness.check(second * 1_000, true)).toBe("alive");
  }
  liveness.heard(10_000);
  expect(liveness.check(10_000, true)).toBe("ask");
});

test("a hidden page waits for the heartbeat", () => {
  expect(checks(new Liveness(0), 1, 27, false)).toEqual(["25 ask", "27 lost"]);
});

test("after sleep the stream is asked before it is called lost", () => {
  const liveness = new Liveness(0);
  expect(checks(liveness, 1, 6)).toEqual(["6 ask"]);
  expect(checks(liveness, 3_600, 3_602)).toEqual(["3600 ask", "3602 lost"]);
});
