import { expect, test } from "vitest";
import { panelOf } from "./panels.ts";

test("a fragment names a view, and every other one the desk", () => {
  expect(panelOf("#account")).toBe("account");
  expect(["", "#", "#nothing", "account"].map(panelOf)).toEqual([null, null, null, null]);
});
