import { expect, test } from "vitest";
import { DEFAULTS, readPreferences } from "./preferences.ts";

test("what was kept is read", () => {
  const kept = {
    theme: "dark",
    colours: "blue_orange",
    motion: "reduced",
    keyMap: { areCharactersOn: false, keys: { "list.remove": "x" } },
  };
  expect(readPreferences(JSON.stringify(kept))).toEqual(kept);
});

test("what is not valid is as if it were not kept", () => {
  for (const text of [null, "", "{", "7", "null", '{"theme":"pink","colours":1,"keyMap":[]}']) {
    expect(readPreferences(text)).toEqual(DEFAULTS);
  }
  const keys = { a: 1, b: "", c: "x".repeat(99), d: "y" };
  expect(readPreferences(JSON.stringify({ keyMap: { keys } })).keyMap.keys).toEqual({ d: "y" });
});
