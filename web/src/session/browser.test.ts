import { expect, test, vi } from "vitest";
import { exclusively } from "./browser.ts";

function locks(request: (signal: AbortSignal, enter: () => unknown) => unknown): LockManager {
  const fake = {
    request: (_name: string, { signal }: { signal: AbortSignal }, enter: () => unknown) =>
      request(signal, enter),
  };
  return fake as unknown as LockManager;
}

test("a browser without locks does the work at once", async () => {
  expect(await exclusively(undefined, async () => 1)).toBe(1);
});

test("the work is done in the lock, once, also if it fails", async () => {
  const work = vi.fn(() => Promise.reject(new Error("refused")));
  await expect(
    exclusively(
      locks((_, enter) => enter()),
      work,
    ),
  ).rejects.toThrow("refused");
  expect(work).toHaveBeenCalledTimes(1);
});

test("a lock that is not given in time is not waited for", async () => {
  const busy = locks(() => Promise.reject(new DOMException("late", "TimeoutError")));
  expect(await exclusively(busy, async () => 2)).toBe(2);
});
