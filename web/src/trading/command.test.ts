import { beforeEach, expect, test } from "vitest";
import { NoAnswer, Refusal } from "../api/problems.ts";
import { ManualClock, settled } from "../testing/manual_clock.ts";
import { Command } from "./command.ts";
import { commandText } from "./words.ts";

const RUN_OUT_MS = 40_000;

let clock: ManualClock;
let keys: string[];
let answers: (string | Error)[];
let made: number;

beforeEach(() => {
  clock = new ManualClock();
  keys = [];
  answers = [];
  made = 0;
});

function command(): Command<string> {
  const newKey = () => {
    made += 1;
    return `key-${made}`;
  };
  return new Command(
    async (key) => {
      keys.push(key);
      const next = answers.shift() ?? new NoAnswer("cut");
      if (next instanceof Error) throw next;
      return next;
    },
    { clock, random: () => 1, newKey },
  );
}

test("a lost answer is not known yet, and the repetition has the same key", async () => {
  answers = [new NoAnswer("cut"), new Refusal(504, "timed_out", "no"), "done"];
  const own = command();
  const running = own.run();
  await settled();
  expect(own.state.value).toEqual({ kind: "unknown", isAsking: true, refusal: null });
  await clock.pass(5_000);
  expect(await running).toEqual({ kind: "done", answer: "done" });
  expect(keys).toEqual(["key-1", "key-1", "key-1"]);
});

test("a refusal is an answer, and is not repeated", async () => {
  const refusal = new Refusal(422, "order_refused", "too much");
  answers = [refusal, "never"];
  const own = command();
  expect(await own.run()).toEqual({ kind: "refused", error: refusal });
  expect(await own.run()).toEqual({ kind: "refused", error: refusal });
  expect(keys).toHaveLength(1);
});

test("after a lost answer, a refused attempt says nothing about the one before", async () => {
  answers = [new NoAnswer("cut"), new Refusal(429, "rate_limited", "slow", null, 2), "done"];
  const own = command();
  const running = own.run();
  await clock.pass(RUN_OUT_MS);
  expect(await running).toMatchObject({ kind: "done" });
});

test("a command that is being worked on is asked for again", async () => {
  answers = [new Refusal(409, "command_in_flight", "later"), "done"];
  const own = command();
  const running = own.run();
  await clock.pass(RUN_OUT_MS);
  expect(await running).toMatchObject({ kind: "done" });
});

test("asking ends after half a minute, and goes on with the same key if the user wants it", async () => {
  const own = command();
  const running = own.run();
  await clock.pass(RUN_OUT_MS);
  expect(await running).toEqual({ kind: "unknown", isAsking: false, refusal: null });
  expect(clock.timers).toBe(0);
  answers = ["done"];
  expect(await own.run()).toMatchObject({ kind: "done" });
  expect(new Set(keys)).toEqual(new Set(["key-1"]));
});

test("a computer that slept does not send the command at a later price", async () => {
  const own = command();
  const running = own.run();
  await settled();
  clock.jump(600_000);
  await clock.pass(1_000);
  expect(await running).toEqual({ kind: "unknown", isAsking: false, refusal: null });
  expect(keys).toHaveLength(1);
});

test("a fault of the page is thrown, and the effect is not known", async () => {
  answers = [new TypeError("fault")];
  const own = command();
  await expect(own.run()).rejects.toThrow("fault");
  expect(own.state.value).toEqual({ kind: "unknown", isAsking: false, refusal: null });
});

test("what the server says while the outcome is not known is kept", async () => {
  const refusal = new Refusal(503, "overloaded", "cancel the orders first");
  answers = Array.from({ length: 50 }, () => refusal);
  const own = command();
  const running = own.run();
  await clock.pass(RUN_OUT_MS);
  expect(await running).toEqual({ kind: "unknown", isAsking: false, refusal });
  expect(commandText(own.state.value)).toContain("Cancel the orders first.");
});
