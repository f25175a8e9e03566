import { beforeEach, expect, test } from "vitest";
import type { Quote } from "../stream/protocol.ts";
import { Quotes } from "./quotes.ts";

const quote = (key: string, epoch: number, seq: number): Quote => ({
  key,
  epoch,
  seq,
  ts: 0,
  rt: 0,
});

let quotes: Quotes;

beforeEach(() => {
  quotes = new Quotes();
});

test("the newest quote by epoch and count is held, in any order of arrival", () => {
  quotes.take([quote("a", 1, 5), quote("a", 2, 1), quote("a", 1, 9)], 1);
  expect(quotes.get("a")?.quote).toMatchObject({ epoch: 2, seq: 1 });
});

test("a cut concerns every quote, and only newer ones are current again", () => {
  quotes.take([quote("a", 1, 1), quote("b", 1, 1)], 1);
  quotes.cut();
  quotes.take([quote("a", 1, 1), quote("b", 1, 2)], 2);
  expect(quotes.get("a")).toMatchObject({ isBeforeCut: true, receivedMs: 1 });
  expect(quotes.get("b")).toMatchObject({ isBeforeCut: false, receivedMs: 2 });
});

test("many changes before a frame are one call and one key each", () => {
  let calls = 0;
  quotes.onChange = () => {
    calls += 1;
  };
  quotes.take([quote("a", 1, 1), quote("a", 1, 2), quote("b", 1, 1)], 1);
  expect(calls).toBe(1);
  expect(quotes.takeChanged()).toEqual(["a", "b"]);
  quotes.take([quote("a", 1, 3)], 2);
  expect(calls).toBe(2);
});

test("a quote that changes nothing causes no call", () => {
  quotes.take([quote("a", 1, 1)], 1);
  quotes.takeChanged();
  quotes.onChange = () => expect.fail("nothing has changed");
  quotes.take([quote("a", 1, 1)], 2);
});

test("the newest receipt is known, and an instrument can be forgotten", () => {
  expect(quotes.newestMs()).toBeNull();
  quotes.take([quote("a", 1, 1)], 5);
  quotes.take([quote("b", 1, 1)], 7);
  expect(quotes.newestMs()).toBe(7);
  quotes.forget("b");
  expect(quotes.newestMs()).toBe(5);
  expect(quotes.get("b")).toBeUndefined();
});
