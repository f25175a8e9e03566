import { beforeEach, expect, test } from "vitest";
import { ListServer, MemoryText } from "../testing/list_server.ts";
import { Lists } from "./lists.ts";
import { type Edit, firstLists, MOST_LISTS, START } from "./saved_list.ts";

let server: ListServer;
let copy: MemoryText;
let earlier: MemoryText;
let told: number;
let reported: unknown[];

const opened = async (): Promise<Lists> => {
  const lists = new Lists({
    calls: server,
    copy,
    earlier,
    tell: () => {
      told += 1;
    },
    report: (trouble) => reported.push(trouble),
  });
  await lists.refresh();
  return lists;
};
const keysOf = (lists: Lists, id = "main") =>
  lists.all.value.find((one) => one.list_id === id)?.keys;
const adding = (key: string, id = "main"): Edit => ({
  kind: "keys",
  id,
  change: (keys) => [...keys, key],
});
const named = (list_id: string, keys: string[] = [], revision = 1) => ({
  list_id,
  name: list_id,
  keys,
  revision,
});

beforeEach(() => {
  server = new ListServer();
  copy = new MemoryText();
  earlier = new MemoryText();
  told = 0;
  reported = [];
});

test("a newcomer has a list with prices, which is stored with the first edit", async () => {
  const lists = await opened();
  expect(keysOf(lists)).toEqual(START);
  expect(server.lists).toEqual([]);
  await lists.edit(adding("a"));
  expect(server.lists[0]?.keys).toEqual([...START, "a"]);
  expect(server.lists[0]?.revision).toBe(1);
  expect(told).toBe(1);
});

test("an edit is shown at once, and edits of one list are stored together", async () => {
  server.lists = [named("main")];
  const lists = await opened();
  const before = server.requests;
  const done = [lists.edit(adding("a")), lists.edit(adding("b")), lists.edit(adding("c"))];
  expect(keysOf(lists)).toEqual(["a", "b", "c"]);
  expect(lists.isStoring.value).toBe(true);
  await Promise.all(done);
  expect(lists.isStoring.value).toBe(false);
  expect(server.lists[0]?.keys).toEqual(["a", "b", "c"]);
  expect(server.requests - before).toBeLessThanOrEqual(2);
});

test("what an edit has made stays shown while it becomes what is stored", async () => {
  server.lists = [named("main"), named("other")];
  const lists = await opened();
  const shown: string[] = [];
  lists.all.subscribe((all) => shown.push(all.map((one) => one.list_id).join()));
  await lists.edit({ kind: "move", id: "other", steps: -1 });
  expect(new Set(shown)).toEqual(new Set(["main,other", "other,main"]));
  expect(shown.lastIndexOf("main,other")).toBe(0);
});

test("an edit is made again to a list that has changed elsewhere", async () => {
  server.lists = [named("main", ["a"])];
  const lists = await opened();
  server.lists = [named("main", ["a", "theirs"], 2)];
  await lists.edit(adding("mine"));
  expect(server.lists[0]?.keys).toEqual(["a", "theirs", "mine"]);
  expect(reported).toEqual([]);
});

test("two newcomers' windows both keep their first edit", async () => {
  const one = await opened();
  const other = await opened();
  await Promise.all([one.edit(adding("a")), other.edit(adding("b"))]);
  expect(new Set(server.lists[0]?.keys)).toEqual(new Set([...START, "a", "b"]));
  expect(server.lists).toHaveLength(1);
});

test("an edit that cannot be stored is taken back, and the user is told", async () => {
  server.lists = [named("main", ["a"])];
  const lists = await opened();
  server.isAway = true;
  await lists.edit(adding("b"));
  expect(keysOf(lists)).toEqual(["a"]);
  expect(String(reported[0])).toContain("was not stored. There is no connection");
  server.isAway = false;
  await lists.edit(adding("c"));
  expect(server.lists[0]?.keys).toEqual(["a", "c"]);
});

test("an edit of a list that was removed elsewhere tells so, and the list is gone", async () => {
  server.lists = [named("main"), named("other")];
  const lists = await opened();
  server.lists = [named("main")];
  await lists.edit(adding("a", "other"));
  expect(lists.all.value.map((one) => one.list_id)).toEqual(["main"]);
  expect(String(reported[0])).toContain("removed");
});

test("lists are created, renamed, moved and removed", async () => {
  const lists = await opened();
  await lists.edit({ kind: "create", id: "x", name: "Banks", keys: [] });
  expect(server.lists.map((one) => one.list_id)).toEqual(["main", "x"]);
  await lists.edit({ kind: "name", id: "x", name: "Private banks" });
  await lists.edit({ kind: "move", id: "x", steps: -1 });
  expect(server.lists.map((one) => one.name)).toEqual(["Private banks", "Watchlist"]);
  await lists.edit({ kind: "remove", id: "main" });
  expect(lists.all.value).toEqual(server.lists);
  await lists.edit({ kind: "remove", id: "x" });
  expect(lists.all.value).toHaveLength(1);
  expect(String(reported[0])).toContain("last watchlist");
});

test("what was removed elsewhere too is no trouble", async () => {
  server.lists = [named("main"), named("other")];
  const lists = await opened();
  server.beforeSave = () => {
    server.lists = [named("main", [], 2)];
  };
  await lists.edit({ kind: "remove", id: "other" });
  expect(lists.all.value.map((one) => one.list_id)).toEqual(["main"]);
});

test("there can be only so many lists", async () => {
  server.lists = Array.from({ length: MOST_LISTS }, (_, index) => named(`l${index}`));
  const lists = await opened();
  await lists.edit({ kind: "create", id: "x", name: "x", keys: [] });
  expect(lists.all.value).toHaveLength(MOST_LISTS);
  expect(reported).toHaveLength(1);
});

test("the list of an earlier page is taken over once", async () => {
  earlier.text = '["a","b"]';
  expect(keysOf(await opened())).toEqual(["a", "b"]);
  expect(server.lists).toHaveLength(1);
  expect(earlier.text).toBeNull();
});

test("the list of an earlier page is a further one if there are lists already", async () => {
  server.lists = [named("main", ["c"]), named("imported", ["x"])];
  earlier.text = '["a","b"]';
  const lists = await opened();
  expect(keysOf(lists, "imported-2")).toEqual(["a", "b"]);
  expect(server.lists).toHaveLength(3);
});

test("the unchanged first list of an earlier page is not taken over", async () => {
  earlier.text = JSON.stringify(START);
  await opened();
  expect([server.lists.length, earlier.text]).toEqual([0, null]);
});

test("while the server is away the kept copy is shown, and an earlier list is kept", async () => {
  copy.text = JSON.stringify([named("main", ["a"], 3)]);
  earlier.text = '["b"]';
  server.isAway = true;
  const lists = await opened();
  expect(keysOf(lists)).toEqual(["a"]);
  expect(earlier.text).toBe('["b"]');
  expect(reported).toHaveLength(1);
});

test("a copy that is no list is as none, and one that cannot be kept is told", async () => {
  copy.text = '[{"list_id":1}]';
  copy.isFull = true;
  const lists = await opened();
  expect(lists.all.value).toEqual(firstLists());
  expect(reported).toHaveLength(1);
});
