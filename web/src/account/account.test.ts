import { beforeEach, expect, test } from "vitest";
import type { Options } from "../api/rest.ts";
import { AccountStore, type LoginSession } from "./account.ts";

let requests: string[];
let sessions: LoginSession[];
let asked: number;
let account: AccountStore;

const session = (session_id: string, current = false): LoginSession => ({
  session_id,
  created_at: "2026-11-29T04:00:00Z",
  seen_at: "2026-11-29T04:00:00Z",
  expires_at: "2026-12-06T04:00:00Z",
  ends_at: "2026-12-29T04:00:00Z",
  address: "192.0.2.1",
  user_agent: "a browser",
  current,
});

beforeEach(() => {
  requests = [];
  asked = 0;
  sessions = [session("a", true), session("b"), session("c")];
  const call = async (path: string, options: Options = {}) => {
    requests.push(`${options.method ?? "GET"} ${path}`);
    if (options.method === "DELETE") {
      sessions = sessions.filter((one) => !path.endsWith(`/${one.session_id}`));
    }
    if (path === "/auth/password") {
      sessions = sessions.filter((one) => one.current);
      return { sessions_ended: 2 };
    }
    return { sessions };
  };
  account = new AccountStore(call, {
    run: (work) => {
      asked += 1;
      return work();
    },
  });
});

const ids = () => account.sessions.value?.map((one) => one.session_id);

test("sessions are read, and one is ended", async () => {
  expect(account.sessions.value).toBeNull();
  await account.read();
  expect(ids()).toEqual(["a", "b", "c"]);
  await account.end(session("b"));
  expect(ids()).toEqual(["a", "c"]);
  expect(asked).toBe(1);
});

test("all others are ended, those that began meanwhile too", async () => {
  expect(await account.endOthers()).toBe(2);
  expect(ids()).toEqual(["a"]);
  expect(requests.filter((one) => one.startsWith("DELETE"))).toHaveLength(2);
});

test("a new password ends the other sessions", async () => {
  expect(await account.changePassword("old", "new")).toBe(2);
  expect(ids()).toEqual(["a"]);
});
