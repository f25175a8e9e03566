import { expect, test } from "vitest";
import { addressOf, type Route, routeOf } from "./route.ts";

const at = (address: string): Route => {
  const { pathname, search } = new URL(address, "http://page");
  return routeOf({ pathname, search });
};

test.each<Route>([
  { view: "list", id: null },
  { view: "list", id: "my list/ä" },
  { view: "instrument", key: "NSE_INDEX|Nifty 50", interval: null },
  { view: "instrument", key: "NSE_EQ|M&M/a%b", interval: "15m" },
])("an address leads to the view that it was made for: %o", (route) => {
  expect(at(addressOf(route))).toEqual(route);
});

test.each(["/", "/i/", "/i", "/l/", "/other", "/i/a/b", "/l/a/b", "/i/%E0%A4%A"])(
  "an address without a view shows the first one: %s",
  (address) => {
    expect(routeOf({ pathname: address, search: "" })).toEqual({ view: "list", id: null });
  },
);
