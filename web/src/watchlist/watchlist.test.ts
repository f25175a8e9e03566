import { beforeEach, expect, test } from "vitest";
import { NoAnswer } from "../api/problems.ts";
import { ListServer, MemoryText } from "../testing/list_server.ts";
import { settled } from "../testing/manual_clock.ts";
import { MOST_KEYS } from "./list.ts";
import { Lists } from "./lists.ts";
import { type InstrumentName, Watchlist } from "./watchlist.ts";

let server: ListServer;
let shown: MemoryText;
let followed: string[];
let reported: unknown[];
let isNaming: boolean;
let watchlist: Watchlist;

const named = (key: string): InstrumentName => ({ key, symbol: key, name: key, segment: "NSE_EQ" });
const stored = (place = 0) => server.lists[place]?.keys;

beforeEach(() => {
  server = new ListServer();
  server.lists = [
    { list_id: "one", name: "One", keys: ["a", "b", "c"], revision: 1 },
    { list_id: "two", name: "Two", keys: ["c", "d"], revision: 1 },
  ];
  shown = new MemoryText();
  followed = [];
  reported = [];
  isNaming = true;
  const report = (trouble: unknown) => reported.push(trouble);
  const copy = new MemoryText(JSON.stringify(server.lists));
  const lists = { calls: server, copy, earlier: new MemoryText(), tell: () => {}, report };
  watchlist = new Watchlist({
    lists: new Lists(lists),
    shown,
    newId: () => "three",
    follow: (keys) => followed.push(...keys),
    unfollow: (keys) => {
      followed = followed.filter((key) => !keys.includes(key));
    },
    namesOf: async (keys) => {
      if (!isNaming) throw new NoAnswer("");
      return keys.map(named);
    },
    report,
  });
});

test("the first list is shown, followed and named", async () => {
  await watchlist.open();
  expect(watchlist.keys.value).toEqual(["a", "b", "c"]);
  expect(followed).toEqual(["a", "b", "c"]);
  expect(watchlist.names.value.get("b")?.symbol).toBe("b");
});

test("what is added is followed, stored and selected", async () => {
  await watchlist.open();
  watchlist.add(named("d"));
  expect(followed).toContain("d");
  expect(watchlist.selected.value).toBe("d");
  await settled();
  expect(stored()).toEqual(["a", "b", "c", "d"]);
});

test("what is on the list already is selected and not followed twice", async () => {
  await watchlist.open();
  watchlist.add(named("b"));
  expect(followed).toEqual(["a", "b", "c"]);
  expect(watchlist.selected.value).toBe("b");
});

test("when the selected row is removed, the next one is selected", async () => {
  await watchlist.open();
  watchlist.select("b");
  watchlist.remove("b");
  expect(watchlist.selected.value).toBe("c");
  watchlist.remove("c");
  expect(watchlist.selected.value).toBe("a");
  watchlist.remove("a");
  expect(watchlist.selected.value).toBeNull();
  expect(followed).toEqual([]);
  await settled();
  expect(stored()).toEqual([]);
});

test("the row that was removed last comes back to its place, in its own list", async () => {
  await watchlist.open();
  watchlist.remove("c");
  watchlist.remove("b");
  expect(watchlist.removed.value).toBe("b");
  watchlist.show("two");
  expect(watchlist.removed.value).toBeNull();
  watchlist.restore();
  watchlist.show("one");
  watchlist.restore();
  expect(watchlist.selected.value).toBe("b");
  expect(watchlist.removed.value).toBeNull();
  await settled();
  expect(stored()).toEqual(["a", "b"]);
});

test("names that could not be read are asked for again", async () => {
  isNaming = false;
  await watchlist.open();
  await settled();
  expect(reported).toHaveLength(1);
  isNaming = true;
  watchlist.refresh();
  await settled();
  expect(watchlist.names.value.get("b")?.symbol).toBe("b");
});

test("rows are reordered", async () => {
  await watchlist.open();
  watchlist.move("c", -2);
  await settled();
  expect(stored()).toEqual(["c", "a", "b"]);
});

test("a full list refuses more, and says so", async () => {
  const keys = Array.from({ length: MOST_KEYS }, (_, index) => `k${index}`);
  server.lists = [{ list_id: "one", name: "One", keys, revision: 2 }];
  await watchlist.open();
  watchlist.add(named("d"));
  expect(watchlist.keys.value).toHaveLength(MOST_KEYS);
  expect(reported).toHaveLength(1);
});

test("another list is shown and followed instead, and shown again after a reload", async () => {
  await watchlist.open();
  watchlist.select("c");
  watchlist.stepList(1);
  expect([...followed].sort()).toEqual(["c", "d"]);
  expect([watchlist.list.value.name, watchlist.selected.value]).toEqual(["Two", null]);
  expect(shown.text).toBe("two");
  watchlist.stepList(1);
  expect(watchlist.list.value.name).toBe("Two");
  watchlist.showNth(1);
  expect(watchlist.list.value.name).toBe("One");
  watchlist.showNth(9);
  expect(watchlist.list.value.name).toBe("One");
});

test("a new list is empty and shown; when it is removed the one beside it is shown", async () => {
  await watchlist.open();
  watchlist.create("  Banks ");
  expect([watchlist.list.value.name, watchlist.keys.value]).toEqual(["Banks", []]);
  watchlist.rename("Private banks");
  watchlist.moveList(-2);
  await settled();
  expect(server.lists.map((one) => one.name)).toEqual(["Private banks", "One", "Two"]);
  watchlist.removeList();
  expect(watchlist.list.value.name).toBe("One");
});

test("a list that is gone elsewhere gives way to the first one", async () => {
  await watchlist.open();
  watchlist.show("two");
  server.lists = server.lists.slice(0, 1);
  watchlist.refresh();
  await settled();
  expect(watchlist.list.value.name).toBe("One");
  expect([...followed].sort()).toEqual(["a", "b", "c"]);
});

test("a closed list follows nothing", async () => {
  await watchlist.open();
  watchlist.close();
  expect(followed).toEqual([]);
});
