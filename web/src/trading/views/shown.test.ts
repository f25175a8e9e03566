import { expect, test } from "vitest";
import { position } from "../testing.ts";
import { openFirst } from "./shown.ts";

test("open positions come before closed ones, each in their order", () => {
  const quantities = [0, 5, 0, -3];
  const positions = quantities.map((quantity, index) => position({ key: `k${index}`, quantity }));
  expect(openFirst(positions).map(({ key }) => key)).toEqual(["k1", "k3", "k0", "k2"]);
});
