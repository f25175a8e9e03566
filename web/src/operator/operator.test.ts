import { beforeEach, expect, test } from "vitest";
import { NoAnswer } from "../api/problems.ts";
import type { Options } from "../api/rest.ts";
import { OperatorStore } from "./operator.ts";
import { OperatorCalls, type User } from "./operator_calls.ts";

let requests: string[];
let away: string | null;
let isOn: boolean;
let store: OperatorStore;

const user = (email: string): User => ({
  user_id: email,
  email,
  created_at: "2026-11-29T04:00:00Z",
  roles: [],
});

const ANSWERS: Readonly<Record<string, (options: Options) => unknown>> = {
  "/v1/status": () => ({ feed_is_current: true }),
  "/v1/admin/gateway": () => ({ streams: 3 }),
  "/v1/admin/history": () => ({ partial_bars: 2 }),
  "/v1/link/upstox": () => ({ state: "linked" }),
  "/v1/admin/kill-switch": () => ({ switches: isOn ? [{ scope: "global" }] : [] }),
  "/auth/admin/users": ({ query }) =>
    query?.["after"] === ""
      ? { users: [user(`${query["prefix"]}1`)], next: "first" }
      : { users: [user(`${query?.["prefix"]}2`)] },
  "/auth/admin/audit": ({ query }) =>
    query?.["before"] === "" ? { entries: ["new"], next: "id" } : { entries: ["old"] },
};

beforeEach(() => {
  requests = [];
  away = null;
  isOn = false;
  const call = async (path: string, options: Options = {}) => {
    requests.push(`${options.method ?? "GET"} ${path}`);
    if (path === away) throw new NoAnswer("away");
    if (options.method === "PUT") isOn = (options.body as { is_on: boolean }).is_on;
    return ANSWERS[path]?.(options) ?? null;
  };
  store = new OperatorStore(new OperatorCalls(call), { run: (work) => work() });
});

test("a part that cannot be read keeps what it had, says why, and hides no other", async () => {
  await store.refresh();
  away = "/v1/status";
  await store.refresh();
  expect(store.status.value.value?.feed_is_current).toBe(true);
  expect(store.status.value.trouble).toContain("no connection");
  expect(store.figures.value).toEqual({ value: { streams: 3 }, trouble: null });
  expect(store.history.value).toEqual({ value: { partial_bars: 2 }, trouble: null });
});

test("accounts are searched, and read page by page", async () => {
  await store.search("ann");
  await store.moreUsers();
  await store.moreUsers();
  expect(store.users.value.value?.users.map((one) => one.email)).toEqual(["ann1", "ann2"]);
  expect(requests).toHaveLength(2);
  expect([store.nameOf("ann1"), store.nameOf("x")]).toEqual(["ann1", "x"]);
});

test("the audit log is read from the newest entry back", async () => {
  await store.readAudit();
  await store.olderAudit();
  expect(store.audit.value.value?.entries).toEqual(["new", "old"]);
});

test("after a change of an account, accounts and audit log are read again", async () => {
  await store.search("ann");
  requests.length = 0;
  await store.change(user("ann1"), "disable");
  expect(requests).toEqual([
    "POST /auth/admin/users/ann1/disable",
    "GET /auth/admin/users",
    "GET /auth/admin/audit",
  ]);
});

test("the switch that stops all orders is set and read", async () => {
  await store.setGlobalSwitch(true, "wrong prices");
  expect(store.switches.value.value).toEqual([{ scope: "global" }]);
});
