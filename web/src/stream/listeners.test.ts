import { expect, test } from "vitest";
import { Listeners } from "./listeners.ts";

test("each reader hears the stream, in order, until it leaves", () => {
  const heard: string[] = [];
  const reader = (name: string) => ({
    opened: () => heard.push(`${name} opened`),
    received: () => heard.push(`${name} received`),
    cut: () => heard.push(`${name} cut`),
  });
  const listeners = new Listeners(reader("market"));
  const leave = listeners.add(reader("view"));
  listeners.opened(1);
  leave();
  listeners.received({ type: "heartbeat", now: 1, feed_is_current: true }, 1);
  listeners.cut(1);
  expect(heard).toEqual(["market opened", "view opened", "market received", "market cut"]);
});
