import { beforeEach, expect, test } from "vitest";
import { dayOf } from "../ui/ist.ts";
import { ofDay, Reconnects } from "./reconnects.ts";

let text: string | null;
let troubles: unknown[];

beforeEach(() => {
  text = null;
  troubles = [];
});

const kept = {
  read: () => text,
  write(next: string) {
    text = next;
  },
};
const load = () => new Reconnects(kept, (trouble) => troubles.push(trouble));

test("a lost connection is listed after a reload too", () => {
  load().add({ at_ms: 1, reason: "the connection was lost" });
  const reloaded = load();
  expect(reloaded.all.value).toEqual([{ at_ms: 1, reason: "the connection was lost" }]);
  reloaded.add({ at_ms: 2, reason: "the server restarts" });
  expect(load().all.value.map((one) => one.at_ms)).toEqual([1, 2]);
});

test("only those since the page was loaded are reconnects of this page", () => {
  const before = load();
  expect(before.isFirst.value).toBe(true);
  before.add({ at_ms: 1, reason: "" });
  expect(before.isFirst.value).toBe(false);
  expect(load().isFirst.value).toBe(true);
});

test("the newest fifty are kept", () => {
  const log = load();
  for (let at_ms = 0; at_ms < 60; at_ms += 1) log.add({ at_ms, reason: "" });
  expect(log.all.value.map((one) => one.at_ms)).toEqual(
    Array.from({ length: 50 }, (_, i) => i + 10),
  );
  expect(load().all.value).toEqual(log.all.value);
});

test.each(["", "{", "null", "7", '{"at_ms":1}', '[null,7,{"at_ms":"1","reason":""},{"at_ms":1}]'])(
  "what is kept and is no log, such as %s, is dropped",
  (other) => {
    text = other;
    expect(load().all.value).toEqual([]);
  },
);

test("a log that cannot be kept is reported, and shown nevertheless", () => {
  const full = new Error("the storage is full");
  const log = new Reconnects(
    {
      read: () => null,
      write() {
        throw full;
      },
    },
    (trouble) => troubles.push(trouble),
  );
  log.add({ at_ms: 1, reason: "" });
  expect(log.all.value).toHaveLength(1);
  expect(troubles).toEqual([full]);
});

test("a day begins at midnight in India", () => {
  const midnight = Date.parse("2026-11-30T00:00:00+05:30");
  const [before, first, last, after] = [-1, 0, 86_399_999, 86_400_000].map((ms) => ({
    at_ms: midnight + ms,
    reason: "",
  })) as [never, never, never, never];
  expect(ofDay([before, first, last, after], dayOf(midnight))).toEqual([first, last]);
});
