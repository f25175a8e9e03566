import { expect, test } from "vitest";
import type { Depth } from "../stream/protocol.ts";
import { Books } from "./books.ts";

const book = (seq: number, epoch = 1): Depth => ({
  ...{ key: "A", epoch, seq, ts: 1, rt: 1, bids: [[seq, 1]], asks: [] },
});

test("only a newer book replaces the held one, also after a cut", () => {
  const books = new Books();
  expect(books.take([book(2)], true)).toEqual(["A"]);
  expect(books.take([book(1), book(2)], true)).toEqual([]);
  books.cut();
  expect(books.get("A")).toMatchObject({ isBeforeCut: true, book: { seq: 2 } });
  books.take([book(2)], true);
  expect(books.get("A")?.isBeforeCut).toBe(true);
  books.take([book(1, 2)], true);
  expect(books.get("A")).toMatchObject({ isBeforeCut: false, book: { epoch: 2 } });
});

test("a book that came while the feed is cut is one of before", () => {
  const books = new Books();
  books.take([book(1)], false);
  expect(books.get("A")?.isBeforeCut).toBe(true);
  books.forget("A");
  expect(books.get("A")).toBeUndefined();
});
