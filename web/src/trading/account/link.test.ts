import { beforeEach, expect, test } from "vitest";
import { settled } from "../../testing/manual_clock.ts";
import type { Link } from "../messages.ts";
import { type LinkCalls, UpstoxLink } from "./link.ts";

const LINKED = { state: "linked" } as Link;
const UNLINKED = { state: "unlinked" } as Link;

let answers: ((state: Link) => void)[];
let link: UpstoxLink;

beforeEach(() => {
  answers = [];
  const calls: LinkCalls = {
    link: () => new Promise((answer) => answers.push(answer)),
    beginLink: async () => ({ login_url: "https://upstox.test", expires_at: 0 }) as never,
    finishLink: async () => LINKED,
    requestLink: async () => ({ state: "waiting" }) as Link,
    unlink: async () => UNLINKED,
  };
  link = new UpstoxLink(calls);
});

test("the answer of a read does not undo a change that was made meanwhile", async () => {
  void link.read();
  await link.unlink();
  answers[0]?.(LINKED);
  await settled();
  expect(link.state.value).toEqual(UNLINKED);
});

test("of two reads the one that began later is kept", async () => {
  void link.read();
  void link.read();
  answers[1]?.(UNLINKED);
  await settled();
  answers[0]?.(LINKED);
  await settled();
  expect(link.state.value).toEqual(UNLINKED);
});

test("a login ends with the link that it makes", async () => {
  await link.begin(null);
  expect(link.login.value).not.toBeNull();
  await link.finish("code");
  expect(link.login.value).toBeNull();
  expect(link.isLinked).toBe(true);
});
