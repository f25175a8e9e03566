import { expect, test } from "vitest";
import { Router } from "./router.ts";

function bar(first: string) {
  const entries = [first];
  const address = () => {
    const { pathname, search } = new URL(entries.at(-1) ?? "/", "http://page");
    return { pathname, search };
  };
  return {
    entries,
    read: address,
    push: (one: string) => entries.push(one),
    replace: (one: string) => entries.splice(-1, 1, one),
  };
}

test("the address follows the view, and the view the address", () => {
  const own = bar("/i/A");
  const router = new Router(own);
  expect(router.route.value).toEqual({ view: "instrument", key: "A", interval: null });
  router.go({ view: "list", id: null });
  router.go({ view: "list", id: null });
  expect(own.entries).toEqual(["/i/A", "/"]);
  own.entries.pop();
  router.moved();
  expect(router.route.value).toMatchObject({ key: "A" });
});

test("another form of a view is no step of the history", () => {
  const own = bar("/i/A");
  const router = new Router(own);
  router.replace({ view: "instrument", key: "A", interval: "1h" });
  expect(own.entries).toEqual(["/i/A?interval=1h"]);
  expect(router.route.value).toMatchObject({ interval: "1h" });
});
