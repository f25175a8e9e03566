import { expect, test } from "vitest";
import { NoAnswer, Refusal } from "../api/problems.ts";
import { Notices } from "./notices.ts";

const texts = (notices: Notices) => notices.list.value.map(({ text }) => text);

test("an error is a sentence for people, shown once until it is dismissed", () => {
  const notices = new Notices();
  notices.report(new Refusal(429, "rate_limited", "too many requests", null, 3));
  notices.report(new Refusal(429, "rate_limited", "too many requests", null, 3));
  expect(texts(notices)).toEqual(["Too many requests. Try again in 3 s."]);
  notices.dismiss(notices.list.value[0]?.id ?? -1);
  expect(texts(notices)).toEqual([]);
});

test("that there is no connection is shown until there is one", () => {
  const notices = new Notices();
  notices.report(new NoAnswer(""));
  notices.report(new Refusal(400, "invalid_field", "new_password: must be longer than 99999"));
  notices.connected();
  expect(texts(notices)).toEqual(["New password: must be longer than 99,999."]);
});

test("the list is bounded, and keeps the newest", () => {
  const notices = new Notices();
  for (let count = 0; count < 9; count += 1) notices.report(new Error(String(count)));
  notices.report(new NoAnswer(""));
  expect(texts(notices)).toHaveLength(4);
  expect(texts(notices).at(-1)).toContain("no connection");
});

test("nothing of before a login is shown after it", () => {
  const notices = new Notices();
  notices.report(new Error("The session was ended"));
  notices.clear();
  expect(texts(notices)).toEqual([]);
});
