import { expect, test } from "vitest";
import { reactionTo } from "./close_codes.ts";

test("a token that is no longer accepted is renewed first", () => {
  expect([4401, 4403, 1012, 1006, 4408].filter((code) => reactionTo(code).renew)).toEqual([
    4401, 4403,
  ]);
});

test("a stream that was refused for its load comes back much later", () => {
  expect(reactionTo(4429).backoff.firstMs).toBeGreaterThanOrEqual(30_000);
  expect(reactionTo(1006).backoff.firstMs).toBeLessThan(1_000);
});

test("any other code is a lost connection", () => {
  expect(reactionTo(1001)).toBe(reactionTo(1006));
});
