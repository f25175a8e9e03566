import { afterEach, expect, test } from "vitest";
import { actionOf, BINDINGS, bindings, holderOf, keyMap, UNCHANGED } from "./keys.ts";

afterEach(() => {
  keyMap.value = UNCHANGED;
});

const pressed = (
  key: string,
  held: Partial<Record<"altKey" | "ctrlKey" | "metaKey", true>> = {},
) => ({
  key,
  altKey: false,
  ctrlKey: false,
  metaKey: false,
  ...held,
});

test("a key has one meaning at a place", () => {
  const places = BINDINGS.map(({ place, key }) => `${place} ${key}`);
  expect(new Set(places).size).toBe(places.length);
});

test("the same key can mean different things at different places", () => {
  expect(actionOf("list", pressed("ArrowDown"))).toBe("down");
  expect(actionOf("search", pressed("ArrowDown"))).toBe("next_result");
  expect(actionOf("anywhere", pressed("ArrowDown"))).toBeNull();
});

test("Alt makes another key, and the browser's own keys are left to it", () => {
  expect(actionOf("list", pressed("ArrowUp", { altKey: true }))).toBe("move_up");
  expect(actionOf("list", pressed("Home", { ctrlKey: true }))).toBeNull();
  expect(actionOf("anywhere", pressed("/", { metaKey: true }))).toBeNull();
});

test("a digit is the list at its place, and zero is not", () => {
  expect(actionOf("list", pressed("7"))).toBe("nth_list");
  expect(actionOf("list", pressed("0"))).toBeNull();
});

test("a key that the user has chosen replaces that of the map", () => {
  keyMap.value = { ...UNCHANGED, keys: { "list.remove": "x" } };
  expect(actionOf("list", pressed("x"))).toBe("remove");
  expect(actionOf("list", pressed("Delete"))).toBeNull();
  expect(bindings().find((one) => one.action === "remove")?.key).toBe("x");
});

test("a key that acts already at the place or anywhere is held", () => {
  const [remove] = BINDINGS.filter((one) => one.place === "list" && one.action === "remove");
  if (remove === undefined) throw new Error("there is no such binding");
  expect(holderOf(remove, "ArrowUp")?.action).toBe("up");
  expect(holderOf(remove, "?")?.action).toBe("help");
  expect(holderOf(remove, "5")?.action).toBe("nth_list");
  expect(holderOf(remove, "Delete")).toBeNull();
  expect(holderOf(remove, "F2")).toBeNull();
});

test("keys that are single characters can be off", () => {
  keyMap.value = { ...UNCHANGED, areCharactersOn: false };
  expect(actionOf("anywhere", pressed("?"))).toBeNull();
  expect(actionOf("list", pressed("ArrowDown"))).toBe("down");
});
