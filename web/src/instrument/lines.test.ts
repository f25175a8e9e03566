import { expect, test } from "vitest";
import { Lines, lineText, type PriceLine } from "./lines.ts";

const LINE: PriceLine = { price: 10, side: "SELL", quantity: 5, kind: "order" };

test("a chart sees the lines of its instrument, and their changes", () => {
  const lines = new Lines();
  const own = lines.of("A");
  expect(own.value).toEqual([]);
  lines.replace(new Map([["A", [LINE]]]));
  expect(own.value).toEqual([LINE]);
  lines.replace(new Map([["B", [LINE]]]));
  expect(own.value).toEqual([]);
});

test("a line tells its side in a word", () => {
  expect(lineText(LINE)).toBe("SELL 5 order");
});
