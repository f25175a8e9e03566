import { expect, test } from "vitest";
import { pauseMs } from "./backoff.ts";

const RULE = { firstMs: 500, mostMs: 15_000 };

test("the longest pause doubles up to its limit", () => {
  const longest = [0, 1, 2, 3, 10, 5_000].map((attempt) => pauseMs(attempt, RULE, () => 1));
  expect(longest).toEqual([500, 1_000, 2_000, 4_000, 15_000, 15_000]);
});

test("the pause is spread over the whole range", () => {
  expect(pauseMs(3, RULE, () => 0)).toBe(0);
  expect(pauseMs(3, RULE, () => 0.25)).toBe(1_000);
});
