import { expect, test } from "vitest";
import type { Bar } from "./bars.ts";
import { legendOf } from "./legend.ts";

const BAR: Bar = {
  ...{ start: Date.UTC(2026, 10, 27, 3, 45), open: 100, high: 110, low: 95, close: 105 },
  ...{ volume: 1_234_567, dayVolume: null, state: "complete", silentMs: 0, ticks: 3 },
};

test("a bar is told in words: time, prices, change, volume, and how far it can be trusted", () => {
  expect(legendOf(BAR, [], "5m")).toBe(
    "27 Nov 2026 09:15 · O 100.00 H 110.00 L 95.00 C 105.00 +5.00\u00a0% V 12.35\u00a0L · complete",
  );
});

test("a day has no time, an index no volume, and an empty slot neither", () => {
  expect(legendOf({ ...BAR, volume: null }, [], "1d")).toBe(
    "27 Nov 2026 · O 100.00 H 110.00 L 95.00 C 105.00 +5.00\u00a0% · complete",
  );
  expect(legendOf({ start: BAR.start }, [], "5m")).toBe("27 Nov 2026 09:15 · no trade");
});
