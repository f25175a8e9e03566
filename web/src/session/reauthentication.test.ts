import { beforeEach, expect, test } from "vitest";
import { Declined, Refusal } from "../api/problems.ts";
import { settled } from "../testing/manual_clock.ts";
import { Reauthentication } from "./reauthentication.ts";

const WANTED = new Refusal(403, "reauthentication_required", "give the password again");
let passwords: unknown[];
let isFresh: boolean;
let reauthentication: Reauthentication;

const work = async () => {
  if (!isFresh) throw WANTED;
  return "done";
};

beforeEach(() => {
  passwords = [];
  isFresh = false;
  reauthentication = new Reauthentication(async (_, options) => {
    const { password } = (options?.body ?? {}) as { password?: string };
    if (password === "wrong") throw new Refusal(401, "bad_credentials", "wrong");
    passwords.push(password);
    isFresh = true;
    return null;
  });
});

test("nobody is asked while the server does not want it", async () => {
  isFresh = true;
  expect(await reauthentication.run(work)).toBe("done");
  expect(reauthentication.isAsking.value).toBe(false);
});

test("with the password, what was refused is done", async () => {
  const done = reauthentication.run(work);
  await settled();
  expect(reauthentication.isAsking.value).toBe(true);
  reauthentication.answer("secret");
  expect(await done).toBe("done");
  expect(passwords).toEqual(["secret"]);
  expect(reauthentication.isAsking.value).toBe(false);
});

test("a wrong password and a cancelled question do nothing", async () => {
  const wrong = expect(reauthentication.run(work)).rejects.toThrow("wrong");
  await settled();
  reauthentication.answer("wrong");
  await wrong;
  const cancelled = expect(reauthentication.run(work)).rejects.toThrow(Declined);
  await settled();
  reauthentication.answer(null);
  await cancelled;
});

test("another refusal is passed on", async () => {
  const refused = new Refusal(404, "not_found", "no");
  await expect(reauthentication.run(() => Promise.reject(refused))).rejects.toBe(refused);
});
