import { expect, test } from "vitest";
import type { Quote } from "../stream/protocol.ts";
import { MOST_PRINTS, Tape } from "./tape.ts";

const quote = (ltp: number, ltt: number, more: Partial<Quote> = {}): Quote => ({
  ...{ key: "A", epoch: 1, seq: 1, ts: ltt, rt: ltt, ltp, ltt, ltq: 5, ...more },
});

test("a trade is told once, the newest first, and the quantity that no quote told is said", () => {
  const tape = new Tape();
  expect(tape.take(quote(10, 1, { volume: 100 }))).toBe(true);
  expect(tape.take(quote(10, 1, { volume: 100, bid: 9 }))).toBe(false);
  tape.take(quote(11, 2, { volume: 125 }));
  tape.take(quote(10.5, 2, { volume: 130 }));
  expect(tape.prints).toMatchObject([
    { price: 10.5, unseen: 0, turn: -1 },
    { price: 11, quantity: 5, unseen: 20, turn: 1 },
    { price: 10, unseen: 0, turn: 0 },
  ]);
});

test("an index moves without volume", () => {
  const tape = new Tape();
  tape.take(quote(10, 1, { ltq: null }));
  expect(tape.take(quote(10, 1, { ltq: null }))).toBe(false);
  expect(tape.take(quote(11, 2, { ltq: null }))).toBe(true);
  expect(tape.prints[0]).toMatchObject({ quantity: null, unseen: 0 });
});

test("an older quote and a price without a time make no trade", () => {
  const tape = new Tape();
  tape.take(quote(10, 5, { volume: 9 }));
  expect(tape.take(quote(10, 4, { volume: 8 }))).toBe(false);
  expect(tape.take({ key: "A", epoch: 1, seq: 2, ts: 6, rt: 6, ltp: 4 })).toBe(false);
});

test("the tape has an end", () => {
  const tape = new Tape();
  for (let at = 1; at <= MOST_PRINTS + 5; at += 1) tape.take(quote(at, at, { volume: at }));
  expect(tape.prints).toHaveLength(MOST_PRINTS);
  expect(tape.prints.at(-1)?.price).toBe(6);
});
