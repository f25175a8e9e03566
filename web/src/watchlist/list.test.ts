import { expect, test } from "vitest";
import { added, inserted, MOST_KEYS, moved, neighbour, readKeys, removed } from "./list.ts";

const KEYS = ["a", "b", "c"];

test("a key is added once, at the end", () => {
  expect(added(KEYS, "d")).toEqual(["a", "b", "c", "d"]);
  expect(added(KEYS, "a")).toBe(KEYS);
});

test("a key is removed", () => {
  expect(removed(KEYS, "b")).toEqual(["a", "c"]);
});

test("a key is inserted at its place, once", () => {
  expect(inserted(KEYS, "d", 1)).toEqual(["a", "d", "b", "c"]);
  expect(inserted(KEYS, "d", 9)).toEqual(["a", "b", "c", "d"]);
  expect(inserted(KEYS, "b", 0)).toBe(KEYS);
});

test("a key moves up and down and stops at the ends", () => {
  expect(moved(KEYS, "b", 1)).toEqual(["a", "c", "b"]);
  expect(moved(KEYS, "b", -1)).toEqual(["b", "a", "c"]);
  expect(moved(KEYS, "b", -9)).toEqual(["b", "a", "c"]);
  expect(moved(KEYS, "c", 1)).toEqual(KEYS);
  expect(moved(KEYS, "x", 1)).toBe(KEYS);
});

test("the selection moves and stops at the ends", () => {
  expect(neighbour(KEYS, "a", 1)).toBe("b");
  expect(neighbour(KEYS, "c", 1)).toBe("c");
  expect(neighbour(KEYS, "a", -5)).toBe("a");
  expect(neighbour(KEYS, null, 1)).toBe("a");
  expect(neighbour([], "a", 1)).toBeNull();
});

test("a stored list is read with each key once, and within the limit", () => {
  expect(readKeys('["a","b","a"]')).toEqual(["a", "b"]);
  const many = JSON.stringify(Array.from({ length: 999 }, (_, index) => `k${index}`));
  expect(readKeys(many)).toHaveLength(MOST_KEYS);
});

test("what is not a list of keys is refused", () => {
  for (const text of [null, "", "{}", "[1]", '{"length":1}', "null"])
    expect(readKeys(text)).toBeNull();
});
